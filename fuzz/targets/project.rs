//! Any text as a `paystack.toml`.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use paystack::project::Project;

fuzz_target!(|text: &str| {
    match Project::parse(Path::new("shop/paystack.toml"), text) {
        Ok(project) => {
            if let Ok(environment) = project.environment(None)
                && let Ok(stack) = project.stack(&environment)
            {
                // It becomes the name of a file.
                assert!(stack.as_str().bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-'), "{stack}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
