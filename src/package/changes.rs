//! What changes between two packages, file by file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use serde::{Deserialize, Serialize};
use similar::TextDiff;
use zip::ZipArchive;

use super::Content;

/// Larger files are told by their sizes alone.
const LARGEST_DIFF_BYTES: u64 = 64 * 1024;
/// After so many files with a diff, the others are told by their sizes alone.
const MOST_DIFFS: usize = 20;

/// A package that takes the place of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeChange {
    /// Bytes of the zip that is to come; `None` where it has not been packaged here.
    pub zip_size: Option<u64>,
    /// What differs; `None` where the package that is live is not at hand, and only its digest is known.
    pub files: Option<Vec<FileChange>>,
    /// How many files stay as they are.
    pub unchanged: usize,
}

/// A file that is added (it has no size before), removed (none after) or changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    pub name: String,
    /// Bytes in the package that is live.
    pub before: Option<u64>,
    /// Bytes in the package that is to come.
    pub after: Option<u64>,
    /// A unified diff without its head, of text that is short enough and no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

impl CodeChange {
    /// Compares the package that is live, where it is at hand, with the one that is to come.
    pub fn between(before: Option<&Content>, after: Option<&Content>) -> Self {
        let zip_size = after.map(Content::length);
        let compared = before.zip(after).and_then(|(before, after)| compare(before, after).ok());
        let (files, unchanged) = compared.map_or((None, 0), |(files, unchanged)| (Some(files), unchanged));
        Self { zip_size, files, unchanged }
    }

    /// Without the lines of any file.
    pub fn without_diffs(mut self) -> Self {
        self.files.iter_mut().flatten().for_each(|file| file.diff = None);
        self
    }
}

/// What a zip's directory says of a file: enough to tell whether it is another.
struct Entry {
    index: usize,
    size: u64,
    crc32: u32,
}

fn compare(before: &Content, after: &Content) -> zip::result::ZipResult<(Vec<FileChange>, usize)> {
    let (mut before, mut after) = (ZipArchive::new(before.open())?, ZipArchive::new(after.open())?);
    let (old, new) = (entries(&mut before)?, entries(&mut after)?);
    let mut files = Vec::new();
    let mut unchanged = 0;
    let mut diffs = 0;
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (was, is) = (old.get(name), new.get(name));
        if was.map(|it| (it.size, it.crc32)) == is.map(|it| (it.size, it.crc32)) {
            unchanged += 1;
            continue;
        }
        let mut diff = None;
        if diffs < MOST_DIFFS && !is_private(name) {
            diff = unified(text(&mut before, was), text(&mut after, is));
            diffs += usize::from(diff.is_some());
        }
        let [before, after] = [was, is].map(|entry| entry.map(|it| it.size));
        files.push(FileChange { name: name.clone(), before, after, diff });
    }
    Ok((files, unchanged))
}

fn entries<R: Read + Seek>(archive: &mut ZipArchive<R>) -> zip::result::ZipResult<BTreeMap<String, Entry>> {
    let mut entries = BTreeMap::new();
    for index in 0..archive.len() {
        let file = archive.by_index_raw(index)?;
        if !file.is_dir() {
            entries.insert(file.name().to_owned(), Entry { index, size: file.size(), crc32: file.crc32() });
        }
    }
    Ok(entries)
}

/// The text of a file: empty where there is none, `None` where it is too long or no text.
fn text<R: Read + Seek>(archive: &mut ZipArchive<R>, entry: Option<&Entry>) -> Option<String> {
    let Some(entry) = entry else { return Some(String::new()) };
    let mut content = Vec::new();
    // A zip may say one size and hold another.
    archive.by_index(entry.index).ok()?.take(LARGEST_DIFF_BYTES + 1).read_to_end(&mut content).ok()?;
    let is_text = content.len() as u64 <= LARGEST_DIFF_BYTES && !content.contains(&0);
    String::from_utf8(content).ok().filter(|_| is_text)
}

fn unified(before: Option<String>, after: Option<String>) -> Option<String> {
    let (before, after) = before.zip(after)?;
    let diff = TextDiff::from_lines(&before, &after);
    Some(diff.unified_diff().context_radius(2).missing_newline_hint(false).to_string())
}

/// What by its name holds keys or passwords is not shown, though it is a part of the code.
fn is_private(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let has = |endings: &[&str]| endings.iter().any(|ending| file.ends_with(ending));
    file.starts_with(".env") || file.starts_with("id_") || has(&[".pem", ".key", ".p12", ".pfx", ".jks", "credentials"])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::package::{Archive, Mode};

    fn zipped(files: &[(&str, &str)]) -> Content {
        let mut archive = Archive::new(Path::new("test"));
        for (name, content) in files {
            archive.add(name, Mode::Plain, content.as_bytes()).expect("it fits");
        }
        archive.finish().expect("it fits").content
    }

    fn between(before: &[(&str, &str)], after: &[(&str, &str)]) -> CodeChange {
        CodeChange::between(Some(&zipped(before)), Some(&zipped(after)))
    }

    #[test]
    fn files_that_came_went_and_changed_are_told_apart() {
        let long = "x".repeat(70_000);
        let change = between(
            &[("a.py", "one\ntwo\n"), ("gone.py", "it\n"), ("same.py", "same"), ("long.py", "short\n")],
            &[("a.py", "one\n2\n"), ("new.bin", "\0"), ("same.py", "same"), ("long.py", &long)],
        );
        let files: Vec<_> = change.files.expect("both are at hand");
        let told: Vec<_> = files.iter().map(|it| (it.name.as_str(), it.before, it.after, it.diff.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("a.py", Some(8), Some(6), Some("@@ -1,2 +1,2 @@\n one\n-two\n+2\n")),
                ("gone.py", Some(3), None, Some("@@ -1 +0,0 @@\n-it\n")),
                ("long.py", Some(6), Some(70_000), None),
                ("new.bin", None, Some(1), None),
            ]
        );
        assert_eq!(change.unchanged, 1);
    }

    #[test]
    fn what_holds_keys_by_its_name_is_not_shown() {
        let change = between(&[(".env", "TOKEN=1")], &[(".env", "TOKEN=2"), ("tls/server.key", "secret")]);
        assert!(change.files.expect("both are at hand").iter().all(|file| file.diff.is_none()));
    }

    #[test]
    fn a_package_that_is_not_at_hand_or_no_zip_leaves_only_its_digest() {
        let zip = zipped(&[("a.py", "")]);
        assert_eq!(CodeChange::between(None, Some(&zip)).files, None);
        assert_eq!(CodeChange::between(Some(&b"no zip".to_vec().into()), Some(&zip)).files, None);
    }
}
