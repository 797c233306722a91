//! When Lambda stops supporting a runtime.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// The dates of one runtime, `2027-07-31`: as text they compare like the days they are. `None` where AWS has named none.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LambdaRuntime {
    /// The first day without security patches.
    pub deprecated: Option<String>,
    /// The day from which AWS refuses new functions.
    pub create_blocked: Option<String>,
    /// The day from which AWS refuses changes to functions there are.
    pub update_blocked: Option<String>,
    /// The newest runtime of the same language.
    pub successor: Option<String>,
}

/// The dates of a runtime, `python3.11`, or `None` for one without any.
pub fn lambda_runtime(name: &str) -> Option<&'static LambdaRuntime> {
    static RUNTIMES: LazyLock<BTreeMap<String, LambdaRuntime>> = LazyLock::new(|| {
        serde_json::from_str(include_str!("lambda-runtimes.json")).expect("a test reads the table of runtimes")
    });
    RUNTIMES.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_has_its_dates() {
        let python = lambda_runtime("python3.8").expect("in the table");
        assert_eq!(python.deprecated.as_deref(), Some("2024-10-14"));
        assert!(python.create_blocked < python.update_blocked);
        assert_eq!(lambda_runtime("cobol"), None);
    }
}
