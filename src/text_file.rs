//! Text files that anybody may have written: no more is read than such a file is meant to hold.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Reads a text file of at most so many bytes.
///
/// # Errors
///
/// Besides the system's own: [`ErrorKind::FileTooLarge`], and [`ErrorKind::InvalidData`] for what is not UTF-8.
pub fn read(path: &Path, longest_bytes: u64) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(longest_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > longest_bytes {
        let limit = longest_bytes / 1024 / 1024;
        return Err(io::Error::new(ErrorKind::FileTooLarge, format!("it is larger than {limit} MB")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        io::Error::new(ErrorKind::InvalidData, format!("it is not text in UTF-8: byte {place} fits no character"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_back(content: &[u8]) -> Result<String, String> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        std::fs::write(&path, content).expect("a file");
        read(&path, 1024 * 1024).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        assert_eq!(read_back(&[b'x'; 1024 * 1024]).map(|text| text.len()), Ok(1024 * 1024));
        assert_eq!(read_back(&[b'x'; 1024 * 1024 + 1]), Err("it is larger than 1 MB".to_owned()));
        assert_eq!(
            read(Path::new("/dev/zero"), 1024 * 1024).map_err(|error| error.kind()),
            Err(ErrorKind::FileTooLarge)
        );
    }

    #[test]
    fn what_is_no_text_is_refused_at_its_place() {
        assert_eq!(read_back(b"ab\xffc"), Err("it is not text in UTF-8: byte 2 fits no character".to_owned()));
    }
}
