//! The command line of each component.
//!
//! Every file is named relative to the control plane's folder, where the components run.
//! Everything listens on loopback; etcd takes only clients with a certificate of ours.

use std::{
    ffi::OsString,
    io,
    net::{Ipv4Addr, TcpListener},
    path::Path,
};

/// The loopback ports of one control plane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ports {
    pub(super) etcd: u16,
    pub(super) etcd_peer: u16,
    pub(super) apiserver: u16,
    pub(super) controller_manager: u16,
    pub(super) scheduler: u16,
    pub(super) kubelet: u16,
}

impl Ports {
    /// Returns ports that are free now. Nothing holds them: a start may find one taken and try again.
    pub(super) fn free() -> io::Result<Self> {
        // All are open at once, or the system could hand out one port twice.
        let listener = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
        let held = [
            listener()?,
            listener()?,
            listener()?,
            listener()?,
            listener()?,
            listener()?,
        ];
        let [etcd, etcd_peer, apiserver, controller_manager, scheduler, kubelet] =
            held.map(|listener| listener.local_addr().map(|address| address.port()));
        Ok(Self {
            etcd: etcd?,
            etcd_peer: etcd_peer?,
            apiserver: apiserver?,
            controller_manager: controller_manager?,
            scheduler: scheduler?,
            kubelet: kubelet?,
        })
    }
}

pub(super) fn etcd(ports: &Ports) -> Vec<OsString> {
    let client = format!("https://127.0.0.1:{}", ports.etcd);
    let peer = format!("https://127.0.0.1:{}", ports.etcd_peer);
    strings([
        "--name=plane".into(),
        "--data-dir=etcd".into(),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls={peer}"),
        format!("--initial-advertise-peer-urls={peer}"),
        format!("--initial-cluster=plane={peer}"),
        "--cert-file=server.crt".into(),
        "--key-file=server.key".into(),
        "--client-cert-auth=true".into(),
        "--trusted-ca-file=ca.crt".into(),
        "--peer-cert-file=server.crt".into(),
        "--peer-key-file=server.key".into(),
        "--peer-client-cert-auth=true".into(),
        "--peer-trusted-ca-file=ca.crt".into(),
        // The data is thrown away with the folder; waiting for the disk would only slow every write.
        "--unsafe-no-fsync".into(),
        "--log-level=warn".into(),
    ])
}

pub(super) fn apiserver(ports: &Ports) -> Vec<OsString> {
    strings([
        format!("--etcd-servers=https://127.0.0.1:{}", ports.etcd),
        "--etcd-cafile=ca.crt".into(),
        "--etcd-certfile=server.crt".into(),
        "--etcd-keyfile=server.key".into(),
        "--bind-address=127.0.0.1".into(),
        "--advertise-address=127.0.0.1".into(),
        // Loopback is no valid endpoint of the `kubernetes` Service, and nothing runs that would use it.
        "--endpoint-reconciler-type=none".into(),
        format!("--secure-port={}", ports.apiserver),
        "--tls-cert-file=server.crt".into(),
        "--tls-private-key-file=server.key".into(),
        "--client-ca-file=ca.crt".into(),
        "--cert-dir=.".into(),
        "--anonymous-auth=false".into(),
        "--authorization-mode=RBAC".into(),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        "--service-account-key-file=service-account.pub".into(),
        "--service-account-signing-key-file=service-account.key".into(),
        "--service-cluster-ip-range=10.96.0.0/16".into(),
        "--allow-privileged=true".into(),
        // Where `kubectl logs` goes: to kwok, which is every node's kubelet.
        "--kubelet-preferred-address-types=InternalIP".into(),
        "--kubelet-certificate-authority=ca.crt".into(),
    ])
}

pub(super) fn controller_manager(ports: &Ports) -> Vec<OsString> {
    let mut flags = client_of_apiserver("controller-manager", ports.controller_manager);
    flags.extend(strings([
        "--use-service-account-credentials=true".into(),
        "--service-account-private-key-file=service-account.key".into(),
        "--root-ca-file=ca.crt".into(),
    ]));
    flags
}

pub(super) fn scheduler(ports: &Ports) -> Vec<OsString> {
    client_of_apiserver("scheduler", ports.scheduler)
}

pub(super) fn kwok(ports: &Ports, stages: &Path) -> Vec<OsString> {
    let mut config = OsString::from("--config=");
    config.push(stages);
    let mut flags = strings([
        "--kubeconfig=kwok.kubeconfig".into(),
        "--manage-all-nodes=true".into(),
        "--node-ip=127.0.0.1".into(),
        "--cidr=10.244.0.0/16".into(),
        format!("--node-port={}", ports.kubelet),
        format!("--server-address=127.0.0.1:{}", ports.kubelet),
        "--tls-cert-file=server.crt".into(),
        "--tls-private-key-file=server.key".into(),
        "--node-lease-duration-seconds=40".into(),
    ]);
    flags.push(config);
    flags
}

fn client_of_apiserver(name: &str, port: u16) -> Vec<OsString> {
    strings([
        format!("--kubeconfig={name}.kubeconfig"),
        "--bind-address=127.0.0.1".into(),
        format!("--secure-port={port}"),
        "--tls-cert-file=server.crt".into(),
        "--tls-private-key-file=server.key".into(),
        // There is one of each: electing it takes seconds.
        "--leader-elect=false".into(),
        // A thousand Applications at once must wait for Pintle, not for these.
        "--kube-api-qps=500".into(),
        "--kube-api-burst=1000".into(),
    ])
}

fn strings<const N: usize>(flags: [String; N]) -> Vec<OsString> {
    flags.into_iter().map(OsString::from).collect()
}
