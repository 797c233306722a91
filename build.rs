//! Leaves out of the release what only unwinding would read: there, a panic ends the process. Of its 31 MB these tables were 4.

#![expect(clippy::disallowed_methods, reason = "Cargo tells a build script everything in its environment")]

use std::path::Path;

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
    }
    Ok(())
}
