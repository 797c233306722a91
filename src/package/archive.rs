//! Zips, written so that nothing but names, contents and executable bits decides their bytes.

use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

use super::{Content, FileEntry, Mode, Package, PackageError, Tree, ZipState, check_size};
use crate::digest::hex_digest;

/// A zip while it is written; the files come in the order of their names.
pub(super) struct Archive<'a> {
    /// What errors call it.
    path: &'a Path,
    writer: ZipWriter<Cursor<Vec<u8>>>,
    files: Vec<FileEntry>,
}

/// Zips a tree; `path` is what errors call it.
pub(super) fn of_tree(path: &Path, tree: &Tree) -> Result<Package, PackageError> {
    let sizes = || tree.files.iter().map(|(name, file)| (name.as_str(), file.size));
    check_size(path, ZipState::Unzipped, sizes().map(|(_, size)| size).sum(), sizes())?;
    let mut archive = Archive::new(path);
    for (name, file) in &tree.files {
        archive.add(name, file.mode, &file.content()?)?;
    }
    archive.finish()
}

/// Takes a zip that someone else made, as it is.
pub(super) fn open(path: &Path) -> Result<Package, PackageError> {
    let not_a_zip = |source| PackageError::NotAZip { path: path.to_owned(), source };
    let unread = |source| PackageError::Read { path: path.to_owned(), source };
    let content = Content::of_file(path, 0).map_err(unread)?;
    check_size(path, ZipState::Zipped, content.length(), std::iter::empty())?;
    let mut archive = ZipArchive::new(content.open()).map_err(not_a_zip)?;
    let mut files = Vec::new();
    // Bounded, because a small zip can hold any amount of zeros.
    let mut room = super::UNZIPPED_LIMIT_BYTES;
    for index in 0..archive.len() {
        let file = archive.by_index(index).map_err(not_a_zip)?;
        if file.is_dir() {
            continue;
        }
        let name = file.name().to_owned();
        let mut content = Vec::new();
        file.take(room + 1).read_to_end(&mut content).map_err(|error| not_a_zip(error.into()))?;
        let entry = entry(&name, &content);
        let size = entry.size;
        files.push(entry);
        check_size(path, ZipState::Unzipped, super::UNZIPPED_LIMIT_BYTES - room + size, sizes(&files))?;
        room -= size;
    }
    files.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(Package { sha256_base64: content.sha256_base64().map_err(unread)?, content, files })
}

impl<'a> Archive<'a> {
    pub fn new(path: &'a Path) -> Self {
        Self { path, writer: ZipWriter::new(Cursor::new(Vec::new())), files: Vec::new() }
    }

    pub fn add(&mut self, name: &str, mode: Mode, content: &[u8]) -> Result<(), PackageError> {
        // A file's own time is that of its checkout; zips begin in 1980.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(6))
            .last_modified_time(DateTime::default())
            .unix_permissions(mode.unix());
        let written = self.writer.start_file(name, options).and_then(|()| Ok(self.writer.write_all(content)?));
        written.map_err(|source| PackageError::Write { path: self.path.to_owned(), source })?;
        self.files.push(entry(name, content));
        Ok(())
    }

    pub fn finish(self) -> Result<Package, PackageError> {
        let Self { path, writer, files } = self;
        let written = writer.finish().map_err(|source| PackageError::Write { path: path.to_owned(), source })?;
        let zip = written.into_inner();
        check_size(path, ZipState::Zipped, zip.len() as u64, sizes(&files))?;
        Ok(Package { sha256_base64: sha256_base64(&zip), content: zip.into(), files })
    }
}

/// What Lambda calls `CodeSha256`.
pub fn sha256_base64(bytes: &[u8]) -> String {
    BASE64.encode(Sha256::digest(bytes))
}

/// The same of what a reader has left.
pub(super) fn sha256_base64_of(mut content: impl Read) -> io::Result<String> {
    let mut digest = Digesting(Sha256::new());
    io::copy(&mut content, &mut digest)?;
    Ok(BASE64.encode(digest.0.finalize()))
}

/// What is written is digested: `sha2` itself is no writer.
struct Digesting(Sha256);

impl Write for Digesting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn entry(name: &str, content: &[u8]) -> FileEntry {
    FileEntry { name: name.to_owned(), size: content.len() as u64, sha256: hex_digest(content, 64) }
}

fn sizes(files: &[FileEntry]) -> impl Iterator<Item = (&str, u64)> {
    files.iter().map(|file| (file.name.as_str(), file.size))
}
