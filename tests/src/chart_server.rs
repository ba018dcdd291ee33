//! A chart repository: nginx over a directory with archives and their `index.yaml`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "called by tests: a panic is how a test fails"
)]

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::background::{Background, free_port};
use crate::go_tools::Unavailable;
use crate::step_aside::require_or_step_aside;
use crate::{ToolsError, chart_files::ChartFiles};

/// nginx answers in milliseconds; the machine may be busy.
const START_WITHIN: Duration = Duration::from_secs(30);

/// See the module. Who asks needs the user `me` with the password it was started with.
pub struct ChartServer {
    port: u16,
    listed: Vec<(String, String, String)>,
    root: PathBuf,
    _nginx: Background,
    _directory: tempfile::TempDir,
}

impl ChartServer {
    /// Starts an empty repository, behind a password if one is given; `None` where `test` must step aside because there is no nginx.
    pub async fn start(test: &str, password: Option<&str>) -> Option<Self> {
        let program = require_or_step_aside(test, nginx())?;
        let directory = tempfile::tempdir().expect("a scratch folder can be made");
        let root = directory.path().join("charts");
        fs::create_dir_all(&root).expect("a scratch folder can be written");
        let port = free_port().expect("loopback has a free port");
        let config = directory.path().join("nginx.conf");
        let users = directory.path().join("users");
        if let Some(password) = password {
            fs::write(&users, format!("me:{{PLAIN}}{password}\n")).expect("a scratch folder can be written");
        }
        let lock = password.map(|_| users.as_path());
        fs::write(&config, configuration(port, directory.path(), lock)).expect("a scratch folder can be written");
        let arguments = [
            OsStr::new("-p"),
            directory.path().as_os_str(),
            OsStr::new("-e"),
            OsStr::new("stderr"),
            OsStr::new("-c"),
            config.as_os_str(),
        ];
        let server = Self {
            port,
            listed: Vec::new(),
            root,
            _nginx: Background::start(&program, &arguments, directory.path()).expect("sh starts"),
            _directory: directory,
        };
        server.write_index();
        let since = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let said = server._nginx.said();
            assert!(since.elapsed() < START_WITHIN, "nginx does not listen: {said}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Some(server)
    }

    /// The URL of the repository.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/charts", self.port)
    }

    /// Publishes a version of a chart: its archive first, then the index that lists it.
    pub fn publish(&mut self, version: &str, chart: &ChartFiles) {
        self.publish_bytes(&chart.name, version, &chart.packed());
    }

    /// Publishes any bytes as a version of a chart.
    pub fn publish_bytes(&mut self, name: &str, version: &str, bytes: &[u8]) {
        let file = format!("{name}-{version}.tgz");
        fs::write(self.root.join(&file), bytes).expect("a scratch folder can be written");
        let mut digest = String::new();
        for byte in Sha256::digest(bytes) {
            // Writing to a String cannot fail.
            let _ = write!(digest, "{byte:02x}");
        }
        self.listed.push((name.into(), version.into(), digest));
        self.write_index();
    }

    fn write_index(&self) {
        let mut names: Vec<&str> = self.listed.iter().map(|(name, ..)| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        let mut text = String::from("apiVersion: v1\nentries:\n");
        for name in names {
            let _ = writeln!(text, "  {name}:");
            for (_, version, digest) in self.listed.iter().filter(|(n, ..)| n == name) {
                let _ = writeln!(
                    text,
                    "  - {{apiVersion: v2, name: {name}, version: {version}, digest: {digest}, urls: [{name}-{version}.tgz]}}"
                );
            }
        }
        // Renamed into its place, so that nobody reads half of it.
        let fresh = self.root.join("index.yaml.new");
        fs::write(&fresh, text).expect("a scratch folder can be written");
        fs::rename(&fresh, self.root.join("index.yaml")).expect("a scratch folder can be written");
    }
}

/// One process that writes below `directory` only.
fn configuration(port: u16, directory: &Path, users: Option<&Path>) -> String {
    let at = |name: &str| directory.join(name).display().to_string();
    let lock = users.map(|users| format!("auth_basic charts; auth_basic_user_file {};", users.display()));
    format!(
        "daemon off; master_process off; pid {pid}; error_log stderr;\n\
         events {{ worker_connections 64; }}\n\
         http {{ access_log off; client_body_temp_path {body}; proxy_temp_path {proxy}; fastcgi_temp_path {fastcgi};\n\
           uwsgi_temp_path {uwsgi}; scgi_temp_path {scgi};\n\
           server {{ listen 127.0.0.1:{port}; root {root}; {lock} }} }}\n",
        pid = at("pid"),
        body = at("body"),
        proxy = at("proxy"),
        fastcgi = at("fastcgi"),
        uwsgi = at("uwsgi"),
        scgi = at("scgi"),
        root = directory.display(),
        lock = lock.unwrap_or_default(),
    )
}

/// Where nginx is: on the path, or where distributions put what users do not run.
fn nginx() -> Result<PathBuf, ToolsError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(usual)
        .map(|directory| directory.join("nginx"))
        .find(|program| program.is_file())
        .ok_or_else(|| {
            Unavailable::ProgramMissing {
                program: "nginx",
                package: "nginx-light",
            }
            .into()
        })
}
