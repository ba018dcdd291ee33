//! Threads to render on: templates nest on the stack, so theirs is large.
//!
//! A thread that is done waits a while for more. Memory that it has used is its own again at once, where a new thread asks the system
//! for every page: that is a third of the processor time of a short render.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// How long a thread waits for more: a wave of renders is behind us then, and deep stacks and large heaps go back.
const IDLE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// Threads with nothing to do. No more than rendered at once, since a new one starts only when none is idle.
#[derive(Default)]
pub(super) struct Threads {
    idle: Arc<Mutex<Vec<Idle>>>,
    started: AtomicU64,
}

struct Idle {
    number: u64,
    stack: usize,
    jobs: SyncSender<Job>,
}

impl Threads {
    /// Runs `work` on a thread with at least that many bytes of stack; `None` if no thread can be started, or if the work panics, which
    /// ends its thread.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        stack: usize,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (done, ended) = tokio::sync::oneshot::channel();
        // Nobody waits for the answer any more if sending it fails.
        self.start(stack, Box::new(move || drop(done.send(work()))));
        ended.await.ok()
    }

    /// A job that finds no thread is dropped, which whoever waits for it sees.
    fn start(&self, stack: usize, mut job: Job) {
        let waiting = {
            let mut idle = lock(&self.idle);
            let at = idle.iter().rposition(|thread| thread.stack >= stack);
            at.map(|at| idle.remove(at))
        };
        if let Some(thread) = waiting {
            match thread.jobs.send(job) {
                Ok(()) => return,
                Err(unsent) => job = unsent.0,
            }
        }
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        let idle = Arc::downgrade(&self.idle);
        let thread = std::thread::Builder::new().name("render".into()).stack_size(stack);
        let live = move || {
            job();
            while let Some(job) = next(&idle, number, stack) {
                job();
            }
        };
        if let Err(e) = thread.spawn(live) {
            tracing::error!(error = %e, "cannot start a thread to render on");
        }
    }
}

/// Waits for work; `None` when there has been none for a while, or when nobody is left who could bring any.
fn next(idle: &Weak<Mutex<Vec<Idle>>>, number: u64, stack: usize) -> Option<Job> {
    let (jobs, queue) = sync_channel(1);
    lock(&*idle.upgrade()?).push(Idle { number, stack, jobs });
    match queue.recv_timeout(IDLE) {
        Ok(job) => return Some(job),
        Err(RecvTimeoutError::Disconnected) => return None,
        Err(RecvTimeoutError::Timeout) => {}
    }
    let threads = idle.upgrade()?;
    let mut threads = lock(&threads);
    if let Some(at) = threads.iter().position(|thread| thread.number == number) {
        threads.remove(at);
        return None;
    }
    drop(threads);
    // Somebody has taken the entry and is about to send.
    queue.recv().ok()
}

fn lock(idle: &Mutex<Vec<Idle>>) -> MutexGuard<'_, Vec<Idle>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Barrier};
    use std::thread::{self, ThreadId};

    use super::{Threads, lock};

    async fn until(done: impl Fn() -> bool) {
        for _ in 0..30_000 {
            if done() {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        panic!("not within half a minute");
    }

    async fn whose(threads: &Threads, stack: usize) -> Option<ThreadId> {
        threads.run(stack, || thread::current().id()).await
    }

    #[tokio::test]
    async fn a_thread_that_is_done_does_the_next_work_too() {
        let threads = Threads::default();
        let first = whose(&threads, 1 << 20).await;
        until(|| lock(&threads.idle).len() == 1).await;
        assert_eq!(whose(&threads, 1 << 20).await, first);
        until(|| lock(&threads.idle).len() == 1).await;
        assert_ne!(whose(&threads, 2 << 20).await, first, "its stack is too small for this");
    }

    #[tokio::test]
    async fn work_at_the_same_time_is_on_threads_of_its_own() {
        let threads = Threads::default();
        let both = Arc::new(Barrier::new(2));
        let meet = || {
            let both = Arc::clone(&both);
            threads.run(1 << 20, move || both.wait().is_leader())
        };
        let (one, other) = tokio::join!(meet(), meet());
        assert_eq!(one.map(|leads| !leads), other);
    }

    #[tokio::test]
    async fn a_panic_ends_its_thread_and_nothing_else() {
        let threads = Threads::default();
        let ended: Option<()> = threads.run(1 << 20, || panic!("on purpose")).await;
        assert!(ended.is_none());
        assert!(lock(&threads.idle).is_empty());
        assert!(whose(&threads, 1 << 20).await.is_some());
    }

    #[tokio::test]
    async fn threads_end_with_who_started_them() {
        let threads = Threads::default();
        let (gone, ended) = tokio::sync::oneshot::channel::<()>();
        type Sender = tokio::sync::oneshot::Sender<()>;
        thread_local! { static LAST: std::cell::RefCell<Option<Sender>> = const { std::cell::RefCell::new(None) } }
        let kept = threads.run(1 << 20, move || LAST.set(Some(gone))).await;
        assert!(kept.is_some());
        drop(threads);
        // The sender goes with the thread's own memory.
        assert!(ended.await.is_err());
    }
}
