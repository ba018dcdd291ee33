//! Scenarios that run on kubesim always, and on the real control plane wherever it can be built.

/// Makes two tests of each `async fn scenario(world: World)`.
#[macro_export]
macro_rules! on_both_planes {
    ($($scenario:ident),* $(,)?) => {$(
        mod $scenario {
            use $crate::World;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_kubesim() {
                super::$scenario(World::simulated().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_the_real_control_plane() {
                if let Some(world) = World::real(stringify!($scenario)).await {
                    super::$scenario(world).await;
                }
            }
        }
    )*};
}
