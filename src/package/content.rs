//! The bytes of a zip: in memory where they have just been made, else in the file that has them.
//!
//! A layer is often most of what a process would hold, and most runs need of it no more than its digest.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use super::archive;

/// A zip's bytes; cheap to clone.
#[derive(Clone)]
pub struct Content(Place);

#[derive(Clone)]
enum Place {
    Memory(Arc<[u8]>),
    File { file: Arc<File>, from: u64, length: u64 },
}

/// Reads a [`Content`] from its beginning.
pub struct Reader(Open);

enum Open {
    Memory(Cursor<Arc<[u8]>>),
    /// `at` counts from the content's beginning, which is `from` in the file.
    File {
        file: BufReader<Anywhere>,
        from: u64,
        length: u64,
        at: u64,
    },
}

/// A file that others may read at the same time, each where it is.
struct Anywhere {
    file: Arc<File>,
    at: u64,
}

impl Content {
    /// What of a file comes after `from` bytes. It stays what it is where another file takes the place of
    /// this one, as other runs do in the cache; where somebody writes into it, a digest that was taken before tells.
    ///
    /// # Errors
    ///
    /// There is no such file, or it is shorter.
    pub fn of_file(path: &Path, from: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let length = file.metadata()?.len().checked_sub(from).ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(Self(Place::File { file: file.into(), from, length }))
    }

    /// In bytes.
    pub fn length(&self) -> u64 {
        match &self.0 {
            Place::Memory(bytes) => bytes.len() as u64,
            Place::File { length, .. } => *length,
        }
    }

    pub fn open(&self) -> Reader {
        Reader(match &self.0 {
            Place::Memory(bytes) => Open::Memory(Cursor::new(Arc::clone(bytes))),
            Place::File { file, from, length } => {
                let file = BufReader::new(Anywhere { file: Arc::clone(file), at: *from });
                Open::File { file, from: *from, length: *length, at: 0 }
            }
        })
    }

    /// What Lambda calls `CodeSha256`.
    pub fn sha256_base64(&self) -> io::Result<String> {
        archive::sha256_base64_of(self.open())
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} bytes)", self.length())
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Place::Memory(bytes.into()))
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.0 {
            Open::Memory(bytes) => bytes.read(buffer),
            Open::File { file, length, at, .. } => {
                let read = file.take(length.saturating_sub(*at)).read(buffer)?;
                *at += read as u64;
                Ok(read)
            }
        }
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Open::Memory(bytes) => bytes.seek(to),
            Open::File { file, from, length, at } => {
                let target = match to {
                    SeekFrom::Start(target) => Some(target),
                    SeekFrom::End(distance) => length.checked_add_signed(distance),
                    SeekFrom::Current(distance) => at.checked_add_signed(distance),
                };
                let place = target.and_then(|target| from.checked_add(target)).ok_or(io::ErrorKind::InvalidInput)?;
                *at = file.seek(SeekFrom::Start(place))? - *from;
                Ok(*at)
            }
        }
    }
}

impl Read for Anywhere {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(self.file.as_ref(), buffer, self.at)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(self.file.as_ref(), buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Anywhere {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::End(distance) => self.file.metadata()?.len().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance),
        };
        self.at = target.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_reads_and_seeks_as_if_it_were_the_whole() {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let path = directory.path().join("kept");
        std::fs::write(&path, "a line\n0123456789").expect("it can be written");
        let contents = [Content::of_file(&path, 7).expect("it is there"), b"0123456789".to_vec().into()];
        for content in contents {
            assert_eq!(content.length(), 10);
            let mut reader = content.open();
            let mut text = String::new();
            let mut rest = |reader: &mut Reader| {
                text.clear();
                reader.read_to_string(&mut text).map(|_| text.clone())
            };
            assert_eq!(rest(&mut reader).ok().as_deref(), Some("0123456789"));
            for (to, at, left) in [
                (SeekFrom::End(-3), 7, "789"),
                (SeekFrom::Start(2), 2, "23456789"),
                (SeekFrom::Current(-1), 9, "9"),
                (SeekFrom::End(5), 15, ""),
            ] {
                assert_eq!(reader.seek(to).ok(), Some(at));
                assert_eq!(rest(&mut reader).ok().as_deref(), Some(left));
            }
            assert!(reader.seek(SeekFrom::Start(0)).is_ok() && reader.seek(SeekFrom::Current(-1)).is_err());
        }
        assert!(Content::of_file(&path, 18).is_err());
    }

    #[test]
    fn a_file_that_another_takes_the_place_of_can_still_be_read() {
        let directory = tempfile::tempdir().expect("there is room for a directory");
        let [path, other] = ["kept", "other"].map(|name| directory.path().join(name));
        std::fs::write(&path, "first").expect("it can be written");
        let content = Content::of_file(&path, 0).expect("it is there");
        let digest = content.sha256_base64().expect("it can be read");
        std::fs::write(&other, "second").expect("it can be written");
        std::fs::rename(&other, &path).expect("it can be replaced");
        assert_eq!(content.sha256_base64().ok(), Some(digest));
    }
}
