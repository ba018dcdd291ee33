//! The whole thing: store, controllers and API in one value.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use pintle_model::{Gvk, Object, Value};

use crate::api::{ApiService, NoLogs};
use crate::clock::Clock;
use crate::controller::{Definitions, GarbageCollector, Namespaces};
use crate::defaults;
use crate::fault::WriteGate;
use crate::logs::PodLogs;
use crate::resource::GroupResource;
use crate::simulate::{Controller, Simulation};
use crate::store::Store;

/// An embedded control plane. Cheap to clone; every clone is the same one.
///
/// ```
/// use pintle_kubesim::{Clock, KubeSim};
///
/// let sim = KubeSim::new(Clock::manual("2026-01-01T00:00:00Z".parse()?), 1);
/// sim.settle();
/// let service = sim.service(); // hand it to kube::Client::new(service, "default")
/// # let _ = service;
/// # Ok::<(), jiff::Error>(())
/// ```
#[derive(Clone)]
pub struct KubeSim {
    store: Store,
    gate: Arc<WriteGate>,
    logs: Arc<RwLock<Arc<dyn PodLogs>>>,
    simulation: Arc<Mutex<Simulation>>,
    pub(crate) identity: Arc<OnceIdentity>,
}

/// Certificates and token, made when first needed.
pub(crate) type OnceIdentity = std::sync::OnceLock<crate::serve::Identity>;

impl KubeSim {
    /// A control plane with the default namespaces and the controllers of `controller`; workloads are added by [`KubeSim::add_controller`].
    /// `seed` decides UIDs and generated names.
    pub fn new(clock: Clock, seed: u64) -> Self {
        let store = Store::new(clock.clone(), seed);
        let mut simulation = Simulation::new(store.clone(), clock);
        simulation.add(Box::new(Definitions::default()));
        let identity: Arc<OnceIdentity> = Arc::default();
        let known = Arc::clone(&identity);
        let root_ca = move || known.get().map(|i| i.ca_pem().to_owned()).unwrap_or_default();
        simulation.add(Box::new(Namespaces::new(root_ca)));
        simulation.add(Box::new(GarbageCollector::default()));
        let logs: Arc<dyn PodLogs> = Arc::new(NoLogs);
        let sim = Self {
            store,
            gate: Arc::default(),
            logs: Arc::new(RwLock::new(logs)),
            simulation: Arc::new(Mutex::new(simulation)),
            identity,
        };
        sim.furnish();
        sim
    }

    /// As [`KubeSim::new`], with the simulated workloads of [`crate::workload`] and their logs: what the demo runs.
    pub fn with_workloads(clock: Clock, seed: u64) -> Self {
        let sim = Self::new(clock, seed);
        for controller in crate::workload::controllers(seed) {
            sim.add_controller(controller);
        }
        sim.set_pod_logs(crate::workload::logs());
        sim
    }

    /// Adds a simulated controller, stepped after those there are.
    pub fn add_controller(&self, controller: Box<dyn Controller>) {
        self.simulation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(controller);
    }

    /// Sets who answers `pods/{name}/log`.
    pub fn set_pod_logs(&self, logs: Arc<dyn PodLogs>) {
        *self.logs.write().unwrap_or_else(PoisonError::into_inner) = logs;
    }

    /// The objects.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        self.store.clock()
    }

    /// The write log and the fault hook.
    pub fn writes(&self) -> &WriteGate {
        &self.gate
    }

    /// The API as a service, without TLS or token.
    pub fn service(&self) -> ApiService {
        ApiService {
            store: self.store.clone(),
            gate: Arc::clone(&self.gate),
            logs: Arc::clone(&self.logs),
        }
    }

    /// Lets the controllers do all they can at the present time.
    pub fn settle(&self) {
        self.simulation.lock().unwrap_or_else(PoisonError::into_inner).settle();
    }

    /// Moves a manual clock forward, with everything that happens on the way.
    pub fn advance(&self, by: Duration) {
        self.simulation
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .advance(by);
    }

    /// Runs the controllers for ever. Cancel by dropping.
    pub async fn run(&self) {
        Simulation::run(&self.simulation).await;
    }

    /// The default content: namespaces and the API server's own Service.
    fn furnish(&self) {
        for name in ["default", "kube-system", "kube-public", "kube-node-lease"] {
            self.put(
                GroupResource::new("", "namespaces"),
                Object::bare(&Gvk::new("", "v1", "Namespace"), "", name),
            );
        }
        let mut service = Object::bare(&Gvk::new("", "v1", "Service"), "default", "kubernetes");
        service.set_label("component", "apiserver");
        service.set_label("provider", "kubernetes");
        service.value_mut().set_at(&["spec", "clusterIP"], "10.96.0.1".into());
        let mut port = Value::map();
        port.set_at(&["name"], "https".into());
        port.set_at(&["port"], 443.into());
        port.set_at(&["targetPort"], 6443.into());
        service.value_mut().set_at(&["spec", "ports"], Value::list(vec![port]));
        self.put(GroupResource::new("", "services"), service);
    }

    fn put(&self, gr: GroupResource, mut object: Object) {
        if let Some(resource) = self.store.resources().get(&gr) {
            defaults::apply(&self.store, resource, &mut object, None);
        }
        // The store is empty: nothing refuses these.
        let _ = self.store.create(&gr, object);
    }
}
