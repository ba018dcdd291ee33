//! The `pintle` command: see [`pintle`].

fn main() -> std::process::ExitCode {
    pintle::main()
}
