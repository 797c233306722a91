//! Code that stands in the template itself, as `Code.ZipFile`.

use std::path::Path;

use super::{Archive, Mode, Package, PackageError};

/// Zips inline code under the name by which CloudFormation's handlers call it: `index.handler` finds it.
pub fn zip_inline(runtime: &str, source: &str) -> Result<Package, PackageError> {
    let language = Language::of(runtime).ok_or_else(|| PackageError::InlineRuntime { runtime: runtime.to_owned() })?;
    let (name, response_module) = match language {
        Language::Python => ("index.py", "cfnresponse"),
        Language::JavaScript => ("index.js", "cfn-response"),
    };
    if source.lines().any(|line| language.is_import(line) && line.contains(response_module)) {
        return Err(PackageError::InlineResponseModule { module: response_module });
    }
    let mut archive = Archive::new(Path::new(name));
    archive.add(name, Mode::Plain, source.as_bytes())?;
    archive.finish()
}

enum Language {
    Python,
    JavaScript,
}

impl Language {
    fn of(runtime: &str) -> Option<Self> {
        match runtime {
            _ if runtime.starts_with("python") => Some(Self::Python),
            _ if runtime.starts_with("nodejs") => Some(Self::JavaScript),
            _ => None,
        }
    }

    fn is_import(&self, line: &str) -> bool {
        let line = line.trim_start();
        match self {
            Self::Python => line.starts_with("import ") || line.starts_with("from "),
            Self::JavaScript => !line.starts_with("//") && (line.contains("require(") || line.contains("import")),
        }
    }
}
