//! Real sockets: what a lost connection proves, and credentials that are read again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use pintle_engine::effect::{ClusterId, FailureKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::client::Call;
use crate::discovery::kind_for_tests;
use crate::{Cluster, KubeconfigSource, Verb};

fn cluster_at(port: u16) -> Cluster {
    let url = format!("http://127.0.0.1:{port}").parse().expect("is a URL");
    Cluster::from_config(ClusterId::in_cluster(), kube::Config::new(url), "test").expect("is a configuration")
}

async fn post(cluster: &Cluster) -> FailureKind {
    let asked = cluster.asked(Verb::Create, "ConfigMap shop/a");
    let call = Call {
        method: http::Method::from_bytes(b"POST").expect("is a method"),
        ..Call::get()
    };
    cluster.exchange(&asked, &call).await.err().expect("fails").kind
}

#[tokio::test]
async fn a_connection_that_was_never_made_changed_nothing_and_one_that_broke_may_have() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("has an address").port();
    let task = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.expect("a connection");
        let mut buffer = [0; 1024];
        let _ = socket.read(&mut buffer).await;
        // Dropped without an answer, and so is the listener.
    });
    let cluster = cluster_at(port);
    assert_eq!(post(&cluster).await, FailureKind::Unknown);
    task.await.expect("ends");
    assert_eq!(post(&cluster).await, FailureKind::Unavailable);
}

/// Answers 401 to every token but the present one, and counts requests.
async fn serve_tokens(listener: TcpListener, accepted: Arc<Mutex<String>>, requests: Arc<AtomicUsize>) {
    loop {
        let Ok((mut socket, _)) = listener.accept().await else {
            return;
        };
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = socket.read_u8().await else { break };
            head.push(byte);
        }
        requests.fetch_add(1, Ordering::SeqCst);
        let head = String::from_utf8_lossy(&head).to_lowercase();
        let bearer = format!("authorization: bearer {}\r\n", accepted.lock().expect("not poisoned"));
        assert!(
            head.contains(&format!("user-agent: pintle/{} (test)\r\n", env!("CARGO_PKG_VERSION"))),
            "{head}"
        );
        let (status, body) = if head.contains(&bearer) {
            ("200 OK", r#"{"metadata":{"name":"a","namespace":"shop"}}"#)
        } else {
            (
                "401 Unauthorized",
                r#"{"kind":"Status","code":401,"reason":"Unauthorized","message":"Unauthorized"}"#,
            )
        };
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let _ = socket.write_all(answer.as_bytes()).await;
    }
}

#[tokio::test]
async fn refused_credentials_are_read_again_but_not_in_a_loop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("has an address").port();
    let accepted = Arc::new(Mutex::new("one".to_owned()));
    let requests = Arc::new(AtomicUsize::new(0));
    let server = tokio::spawn(serve_tokens(listener, Arc::clone(&accepted), Arc::clone(&requests)));

    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("config");
    let write = |token: &str| {
        let text = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\ncontexts: [{{name: c, context: {{cluster: c, user: u}}}}]\n\
             clusters: [{{name: c, cluster: {{server: 'http://127.0.0.1:{port}'}}}}]\nusers: [{{name: u, user: {{token: {token}}}}}]\n"
        );
        std::fs::write(&path, text).expect("is written");
    };
    write("one");
    let source = KubeconfigSource {
        path: Some(path.clone()),
        context: None,
    };
    let cluster = Cluster::from_kubeconfig(ClusterId::in_cluster(), source, "test")
        .await
        .expect("is a kubeconfig");
    let kind = kind_for_tests("v1", "ConfigMap", "configmaps", true);
    assert!(cluster.get(&kind, "shop", "a").await.is_ok());
    *accepted.lock().expect("not poisoned") = "two".to_owned();
    write("two");
    assert!(
        cluster.get(&kind, "shop", "a").await.is_ok(),
        "the new token is picked up by the request that was refused"
    );
    *accepted.lock().expect("not poisoned") = "three".to_owned();
    let before = requests.load(Ordering::SeqCst);
    let error = cluster.get(&kind, "shop", "a").await.err().expect("is refused");
    assert_eq!((error.kind, error.status), (FailureKind::Forbidden, Some(401)));
    assert_eq!(
        requests.load(Ordering::SeqCst) - before,
        1,
        "asked again at most every ten seconds"
    );
    server.abort();
}

#[tokio::test]
async fn a_kubeconfig_that_cannot_be_used_is_named() {
    let source = KubeconfigSource {
        path: Some("/nowhere/config".into()),
        context: None,
    };
    let error = Cluster::from_kubeconfig(ClusterId::in_cluster(), source, "test")
        .await
        .expect_err("is not there");
    assert!(
        error.to_string().starts_with("cannot use kubeconfig /nowhere/config: "),
        "{error}"
    );
}
