//! Work on a thread with a stack of its own size: templates nest on the stack.

/// Runs `work` on a new thread with that many bytes of stack; `None` if the thread cannot be started or panics.
pub(super) async fn run<T: Send + 'static>(stack: usize, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (done, ended) = tokio::sync::oneshot::channel();
    let thread = std::thread::Builder::new().name("render".into()).stack_size(stack);
    // Nobody waits for the answer any more if sending it fails.
    let started = thread.spawn(move || drop(done.send(work())));
    if let Err(e) = started {
        tracing::error!(error = %e, "cannot start a thread to render on");
        return None;
    }
    ended.await.ok()
}
