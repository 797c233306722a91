//! Leaves out of the release what only unwinding would read: there, a panic ends the process. Of its 31 MB these tables were 4.
//! And packs the list of addresses that the loader has to adjust, of which it reads all at every start: 2.4 MB on disk and in memory.

#![expect(clippy::disallowed_methods, reason = "Cargo tells a build script everything in its environment")]

use std::path::Path;
use std::process::Command;

/// For GNU's linker and LLVM's.
const NO_TABLES: &str = "SECTIONS { /DISCARD/ : { *(.eh_frame .eh_frame.*) } } INSERT AFTER .text;\n";

fn main() -> std::io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name: &str| std::env::var(name).unwrap_or_default();
    if variable("PROFILE") == "release" && variable("CARGO_CFG_TARGET_OS") == "linux" {
        let script = Path::new(&variable("OUT_DIR")).join("no-tables.ld");
        std::fs::write(&script, NO_TABLES)?;
        println!("cargo::rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
        println!("cargo::rustc-link-arg-bins={}", script.display());
        if variable("CARGO_CFG_TARGET_ENV") == "gnu" && variable("HOST") == variable("TARGET") && reads_packed() {
            println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
        }
    }
    Ok(())
}

/// Whether this machine's loader can read what is packed: glibc does since 2.36 ("The GNU C Library version 2.36 is now available").
fn reads_packed() -> bool {
    let asked = Command::new("getconf").arg("GNU_LIBC_VERSION").output();
    let answer = asked.map(|it| String::from_utf8_lossy(&it.stdout).into_owned()).unwrap_or_default();
    let version = answer.trim().strip_prefix("glibc ").and_then(|version| version.split_once('.'));
    let numbers = version.and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    numbers.is_some_and(|version| version >= (2, 36))
}
