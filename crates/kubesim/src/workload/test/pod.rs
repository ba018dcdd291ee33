use super::super::table::NODES;
use super::*;

fn pod(spec: &str) -> String {
    format!(r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"p","namespace":"default"}},"spec":{{{spec}}}}}"#)
}

/// `phase` and the state of every container.
fn states(world: &World) -> String {
    let pod = world.get(&PODS, "p");
    let mut out = pod.value().str_at(&["status", "phase"]).unwrap_or_default().to_owned();
    for list in ["initContainerStatuses", "containerStatuses"] {
        for status in pod.value().list_at(&["status", list]) {
            let state = status
                .at(&["state"])
                .and_then(Value::as_map)
                .and_then(|m| m.iter().next());
            let (state, content) = state.expect("a state");
            let reason = content.str_at(&["reason"]).unwrap_or_default();
            out.push_str(&format!(
                " {}:{state}/{reason}",
                status.str_at(&["name"]).unwrap_or_default()
            ));
        }
    }
    out
}

#[test]
fn init_containers_run_one_by_one_before_the_others() {
    let mut world = World::new();
    world.put(
        &PODS,
        &pod(
            r#""initContainers":[{"name":"a","image":"i:1"},{"name":"s","image":"i:1","restartPolicy":"Always"}],
            "containers":[{"name":"web","image":"shop:1"}]"#,
        ),
    );
    let since = world.store.resource_version();
    world.run(3_000);
    let mut seen: Vec<String> = Vec::new();
    world.every_state_of_pods(since, Vec::new(), |pods| {
        for pod in pods.values() {
            let running = |list: &str| {
                let all = pod.value().list_at(&["status", list]).iter();
                all.filter(|s| s.at(&["state", "running"]).is_some())
                    .filter_map(|s| s.str_at(&["name"]))
                    .collect::<Vec<_>>()
                    .join("+")
            };
            let now = format!("{}|{}", running("initContainerStatuses"), running("containerStatuses"));
            if seen.last() != Some(&now) {
                seen.push(now);
            }
        }
    });
    assert_eq!(seen, ["|", "a|", "|", "s|", "s|web"]);
    assert_eq!(states(&world), "Running a:terminated/Completed s:running/ web:running/");
    assert!(is_ready(&world.get(&PODS, "p")));
    world.rests(60_000);
}

#[test]
fn a_failing_init_container_keeps_the_others_back() {
    let mut world = World::new();
    world.put(
        &PODS,
        &pod(r#""restartPolicy":"Never","initContainers":[{"name":"a","image":"i:fail"}],"containers":[{"name":"web","image":"shop:1"}]"#),
    );
    world.run(3_000);
    assert_eq!(states(&world), "Failed a:terminated/Error web:waiting/PodInitializing");
    world.rests(60_000);
}

#[test]
fn a_slow_container_is_ready_late() {
    let mut world = World::new();
    world.put(&PODS, &pod(r#""containers":[{"name":"web","image":"shop:slow"}]"#));
    world.run(5_000);
    assert_eq!(states(&world), "Running web:running/");
    assert_eq!(world.ready_pods(), 0);
    world.run(5_000);
    assert_eq!(world.ready_pods(), 1);
}

#[test]
fn a_pod_waits_for_what_it_refers_to() {
    let config_maps = GroupResource::new("", "configmaps");
    let settings = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":"default"}}"#;
    for (spec, waiting, reason) in [
        (
            r#""containers":[{"name":"web","image":"shop:1","envFrom":[{"configMapRef":{"name":"settings"}}]}]"#,
            "Pending web:waiting/CreateContainerConfigError",
            "Failed",
        ),
        (
            r#""volumes":[{"name":"v","configMap":{"name":"settings"}}],"containers":[{"name":"web","image":"shop:1"}]"#,
            "Pending web:waiting/ContainerCreating",
            "FailedMount",
        ),
    ] {
        let mut world = World::new();
        world.put(&PODS, &pod(spec));
        world.run(2_000);
        assert_eq!(states(&world), waiting);
        assert!(world.said("p").contains(&reason.to_owned()), "{:?}", world.said("p"));
        world.rests(60_000);
        world.put(&config_maps, settings);
        world.run(2_000);
        assert_eq!(states(&world), "Running web:running/");
    }
}

#[test]
fn a_pod_that_no_node_suits_stays_pending() {
    let mut world = World::new();
    world.put(
        &PODS,
        &pod(r#""nodeSelector":{"disk":"ssd"},"containers":[{"name":"web","image":"shop:1"}]"#),
    );
    world.run(1_000);
    let p = world.get(&PODS, "p");
    assert_eq!(conditions(&p), ["PodScheduled=False Unschedulable"]);
    assert_eq!(world.said("p"), ["FailedScheduling"]);
    world.rests(60_000);
    world
        .store
        .modify(&NODES, "", "sim-node-2", |n| n.set_label("disk", "ssd"))
        .expect("labelled");
    world.run(2_000);
    assert_eq!(states(&world), "Running web:running/");
    assert_eq!(
        world.get(&PODS, "p").value().str_at(&["spec", "nodeName"]),
        Some("sim-node-2")
    );
}

#[test]
fn logs_tell_of_every_run() {
    let mut world = World::new();
    world.put(
        &PODS,
        &pod(r#""containers":[{"name":"web","image":"reg.example/shop:1.5","ports":[{"containerPort":80}]}]"#),
    );
    world.run(1);
    let logs = logs();
    let lines = |world: &World, previous: bool| {
        let now = world.store.clock().now();
        let found = logs.lines(&world.get(&PODS, "p"), "web", previous, now)?;
        Some(found.into_iter().map(|l| l.text).collect::<Vec<_>>())
    };
    assert_eq!(lines(&world, false), None);
    world.run(11_999);
    let first = lines(&world, false).expect("running");
    assert_eq!(first[0], "web: starting reg.example/shop:1.5 (version 1.5)");
    assert_eq!(first[1], "web: listening on :80");
    assert_eq!(first.len(), 4);
    world.run(5_000);
    let later = lines(&world, false).expect("running");
    assert!(later.starts_with(&first), "a log only grows");
    assert_eq!(lines(&world, true), None);
    assert_eq!(
        logs.lines(&world.get(&PODS, "p"), "other", false, world.store.clock().now()),
        None
    );

    let mut world = World::new();
    world.put(&PODS, &pod(r#""containers":[{"name":"web","image":"shop:crash"}]"#));
    world.run(3_000);
    let panic = "panic: runtime error: invalid memory address or nil pointer dereference".to_owned();
    assert!(lines(&world, false).expect("ran").contains(&panic));
    assert!(lines(&world, true).expect("ran before").contains(&panic));
}
