//! A layer's `requirements.txt`: what keeps it from meaning something else on another day or another machine.

use std::path::Path;

use super::PackageError;

/// Options that make the outcome depend on other files, or on building on this machine.
const REFUSED: [&str; 7] = ["-c", "--constraint", "-e", "--editable", "--no-binary", "-r", "--requirement"];

/// Refuses whatever is not pinned to the byte; `path` is what errors call the file.
pub(super) fn check(path: &Path, text: &str) -> Result<(), PackageError> {
    let mut unhashed = Vec::new();
    let mut conditional = Vec::new();
    for line in logical_lines(text) {
        if line.starts_with('-') {
            if REFUSED.iter().any(|option| is_option(&line, option)) {
                return Err(PackageError::RequirementsOption { path: path.to_owned(), line });
            }
            continue;
        }
        let (requirement, options) = line.split_once(" --").unwrap_or((&line, ""));
        let package = format!("`{}`", requirement.split(';').next().unwrap_or(requirement).trim());
        if !format!("--{options}").contains("--hash=") {
            unhashed.push(package);
        } else if requirement.contains(';') {
            conditional.push(package);
        }
    }
    if !unhashed.is_empty() {
        return Err(PackageError::Unhashed { path: path.to_owned(), packages: some_of(unhashed) });
    }
    if !conditional.is_empty() {
        return Err(PackageError::Conditional { path: path.to_owned(), packages: some_of(conditional) });
    }
    Ok(())
}

/// Lines without comments, those that end in `\` joined with the next.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for part in text.trim_start_matches('\u{feff}').lines() {
        let part = if part.trim_start().starts_with('#') { "" } else { part.split(" #").next().unwrap_or(part) };
        let continued = part.trim_end().strip_suffix('\\');
        line.push_str(continued.unwrap_or(part).trim());
        line.push(' ');
        if continued.is_none() {
            lines.push(std::mem::take(&mut line));
        }
    }
    lines.push(line);
    lines.into_iter().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
}

/// `-rother.txt`, `-r other.txt`, `--requirement=other.txt` and `--requirement other.txt` are one option.
fn is_option(line: &str, option: &str) -> bool {
    match line.strip_prefix(option) {
        Some(rest) if option.starts_with("--") => rest.is_empty() || rest.starts_with([' ', '=']),
        rest => rest.is_some(),
    }
}

fn some_of(packages: Vec<String>) -> String {
    const SHOWN: usize = 3;
    let more = packages.len().saturating_sub(SHOWN);
    let shown = packages[..packages.len() - more].join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check_refused(text: &str, expected: Expect) {
        expected.assert_eq(&check(Path::new("requirements.txt"), text).unwrap_err().to_string());
    }

    #[test]
    fn a_lock_file_with_a_hash_for_everything_is_taken() {
        let text = "\
            # written by a tool\n\
            --index-url https://index.example/simple\n\
            boto3==1.44.5 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via -r requirements.in\n\
            six==1.17.0 --hash=sha256:cc  # ; no condition\n";
        check(Path::new("requirements.txt"), text).unwrap();
    }

    #[test]
    fn what_is_not_pinned_by_hash_is_named_with_the_way_out() {
        check_refused(
            "boto3==1.44.5\nsix==1.17.0 --hash=sha256:cc\nrequests",
            expect![
                "`requirements.txt` does not pin `boto3==1.44.5`, `requests` by hash, so the layer would depend on the day it is built: write the file with `uv pip compile --generate-hashes requirements.in -o requirements.txt`"
            ],
        );
        check_refused(
            "a\nb\nc\nd\ne",
            expect![
                "`requirements.txt` does not pin `a`, `b`, `c` and 2 more by hash, so the layer would depend on the day it is built: write the file with `uv pip compile --generate-hashes requirements.in -o requirements.txt`"
            ],
        );
    }

    #[test]
    fn a_condition_is_refused_because_pip_judges_it_by_the_wrong_python() {
        check_refused(
            "six==1.17.0 ; python_version < '3.13' --hash=sha256:cc",
            expect![
                "`requirements.txt` takes `six==1.17.0` only under a condition (`;`), which pip judges by the Python that runs it and not by the layer's: lock for the layer alone, without conditions, as `uv pip compile --generate-hashes` does"
            ],
        );
    }

    #[test]
    fn lines_that_point_to_other_files_or_to_building_are_refused() {
        check_refused(
            "-rbase.txt",
            expect![
                "`requirements.txt` has the line `-rbase.txt`: a layer's packages are pinned in this one file, as wheels"
            ],
        );
        check_refused(
            "--constraint=limits.txt",
            expect![
                "`requirements.txt` has the line `--constraint=limits.txt`: a layer's packages are pinned in this one file, as wheels"
            ],
        );
        check_refused(
            "--no-binary :all:",
            expect![
                "`requirements.txt` has the line `--no-binary :all:`: a layer's packages are pinned in this one file, as wheels"
            ],
        );
    }
}
