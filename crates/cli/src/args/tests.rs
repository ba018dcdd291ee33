use super::*;

fn parsed(line: &str) -> Result<Cli, String> {
    parse(line.split(' ').map(OsString::from).collect()).map_err(|e| e.to_string())
}

#[test]
fn the_grammar_is_sound() {
    grammar().debug_assert();
}

#[test]
fn booleans_are_read_as_go_reads_them() {
    let sync = |line: &str| match parsed(line).unwrap().command {
        TopCommand::App(command) => match *command {
            AppCommand::Sync(args) => (args.prune, args.names),
            _ => panic!("expected sync"),
        },
        _ => panic!("expected app"),
    };
    // A word after a boolean flag is an argument, as in Go.
    assert_eq!(sync("pintle app sync --prune web"), (true, vec!["web".into()]));
    assert_eq!(sync("argocd app sync web --prune=false"), (false, vec!["web".into()]));
    assert_eq!(sync("pintle app sync web --core"), (false, vec!["web".into()]));
    assert!(parsed("pintle app sync web --prune=maybe").is_err());
}

#[test]
fn flags_of_the_peer_are_known() {
    for line in [
        "argocd app list -o wide -l team=shop -p a -p b -r https://git/x -P dev -c in-cluster -N argocd",
        "argocd app get web --refresh --hard-refresh --show-operation -o tree=detailed --timeout 30",
        "argocd app create web --repo https://git/x --path dev --dest-server https://kubernetes.default.svc --dest-namespace dev \
         --sync-policy automated --auto-prune --self-heal --sync-option CreateNamespace=true --label a=b --upsert --validate=false \
         --directory-recurse --helm-set a=b --kustomize-image x:1 --set-finalizer",
        "argocd app set web -p image.tag=1 --revision main",
        "argocd app diff web --revision v1 --exit-code=false --diff-exit-code 3 --hard-refresh",
        "argocd app sync a b --async --dry-run --force --replace --server-side --resource apps:Deployment:web --strategy apply \
         --timeout 60 --retry-limit -1 --info a=b --assumeYes",
        "argocd app sync -l team=shop --project p",
        "argocd app wait web --health --sync --operation --timeout 10 --resource :Pod:x",
        "argocd app history web -o id",
        "argocd app rollback web 3 --prune",
        "argocd app delete web -y --cascade=false",
        "argocd app delete web -p background --yes",
        "argocd app manifests web --source live",
        "argocd app resources web --output tree",
        "argocd app logs web -f -c main --tail 5 --since-seconds 60 --kind Deployment --name web --namespace dev --filter !x -m",
        "argocd app terminate-op web",
        "argocd app patch web --patch {} --type merge",
        "argocd app delete-resource web --kind Pod --resource-name x --namespace dev --force",
        "argocd proj list -o name",
        "argocd proj get default -o json",
        "argocd proj create shop -d https://kubernetes.default.svc,* -s https://git/* --allow-cluster-resource /Namespace --upsert",
        "argocd repo add https://git/x --username u --password p --name n --project p --insecure-skip-server-verification --upsert",
        "argocd repo list -o url --refresh hard",
        "argocd repo rm https://git/x https://git/y --project p",
        "argocd version --client --short",
        "pintle demo --story --headless",
        "pintle serve -n argocd",
        "pintle kubesim --port 0",
        "pintle app list -n control --kubeconfig /k --kube-context c",
    ] {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Err(error) = parsed(&line) {
            panic!("{line}\n{error}");
        }
    }
}

#[test]
fn wrong_usage_of_diff_is_never_1() {
    for (line, code) in [
        ("pintle diff --base --help --head HEAD", 2),
        ("pintle --core=maybe diff --base HEAD", 2),
        ("pintle render --frob", 2),
        ("pintle app diff --frob", 1),
        ("pintle --frob", 1),
    ] {
        assert!(parsed(line).is_err(), "{line}");
        let argv = line.split(' ').map(Into::into).collect();
        assert_eq!(usage_code(argv), code, "{line}");
    }
}

#[test]
fn what_is_not_known_is_refused_and_not_ignored() {
    for line in [
        "pintle app sync web --prunes",
        "pintle app get",
        "pintle frob",
        "pintle app get web -o table",
    ] {
        assert!(parsed(line).is_err(), "{line}");
    }
}
