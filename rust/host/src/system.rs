//! What scripts may know of the machine and of their own process, and randomness fit for keys.

use serde::Serialize;

use crate::host::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct System {
    cpu_count: usize,
    /// Memory of this process now and at its peak; 0 where `/proc` does not tell.
    rss_bytes: u64,
    peak_rss_bytes: u64,
    pid: u32,
    platform: &'static str,
    arch: &'static str,
}

/// JSON of the machine and the process.
pub fn describe() -> Result<String, Failure> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    Ok(serde_json::to_string(&System {
        cpu_count: std::thread::available_parallelism()?.get(),
        rss_bytes: kilobytes(&status, "VmRSS:") * 1024,
        peak_rss_bytes: kilobytes(&status, "VmHWM:") * 1024,
        pid: std::process::id(),
        platform: std::env::consts::OS,
        arch: std::env::consts::ARCH,
    })?)
}

fn kilobytes(status: &str, field: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Random bytes from the operating system.
pub fn random_bytes(length: usize) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![0; length];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| "the system has no randomness to give")?;
    Ok(bytes)
}
