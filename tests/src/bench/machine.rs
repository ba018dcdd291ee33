//! What the system says of processes and of itself.

use std::{fs, process::Command};

use super::Result;

/// Linux counts processor time for user space in hundredths of a second on every architecture that Rust runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time of a process and of the children it has waited for (git), in seconds.
pub(super) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in brackets, which may hold spaces: fields are counted after it.
    let (_, fields) = stat.rsplit_once(") ").ok_or("no /proc/<pid>/stat as expected")?;
    let ticks = fields
        .split(' ')
        // utime, stime, cutime, cstime: 14th to 17th of the line.
        .skip(11)
        .take(4)
        .map(str::parse::<u64>)
        .sum::<std::result::Result<u64, _>>()?;
    Ok(ticks as f64 / TICKS_PER_SECOND)
}

/// Peak and present resident memory of a process, in MiB.
pub(super) fn memory_mib(pid: u32) -> Result<(f64, f64)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| -> Result<f64> {
        let kib = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next())
            .ok_or_else(|| format!("no {name} in /proc/{pid}/status"))?;
        Ok(kib.parse::<f64>()? / 1024.0)
    };
    Ok((field("VmHWM:")?, field("VmRSS:")?))
}

/// The machine, the date and the commit, in one line each.
pub(super) fn description() -> Vec<(&'static str, String)> {
    let cores = std::thread::available_parallelism().map_or_else(|_| "?".to_owned(), |n| n.to_string());
    let memory = fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let kib: f64 = text
            .lines()
            .find_map(|l| l.strip_prefix("MemTotal:")?.split_whitespace().next())?
            .parse()
            .ok()?;
        Some(format!("{:.0} GiB", kib / 1024.0 / 1024.0))
    });
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find_map(|l| l.strip_prefix("model name"))?;
        Some(line.trim_start_matches([' ', '\t', ':']).to_owned())
    });
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"]).unwrap_or_default();
    let is_changed = said("git", &["status", "--porcelain", "--untracked-files=no"]).is_none_or(|s| !s.is_empty());
    vec![
        (
            "machine",
            format!(
                "{cores} cores ({}), {} memory",
                model.unwrap_or_else(|| "unknown model".into()),
                memory.unwrap_or_else(|| "?".into())
            ),
        ),
        ("kernel", said("uname", &["-sr"]).unwrap_or_default()),
        ("load before", load.split(' ').take(3).collect::<Vec<_>>().join(" ")),
        (
            "date",
            jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
        ),
        (
            "commit",
            format!("{commit}{}", if is_changed { " with local changes" } else { "" }),
        ),
    ]
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let out = Command::new(program).args(arguments).output().ok()?;
    out.status
        .success()
        .then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::{cpu_seconds, memory_mib};

    #[test]
    fn this_process_uses_processor_and_memory() {
        let pid = std::process::id();
        let (peak, present) = memory_mib(pid).unwrap();
        assert!(peak >= present && present > 0.0);
        let before = cpu_seconds(pid).unwrap();
        let mut n = 0u64;
        while cpu_seconds(pid).unwrap() < before + 0.05 {
            n = std::hint::black_box(n.wrapping_add(1));
        }
    }
}
