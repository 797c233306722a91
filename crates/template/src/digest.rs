//! SHA-256 in hexadecimal digits.

use sha2::{Digest, Sha256};

pub fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = |byte: &u8| [byte >> 4, byte & 0xf].map(|it| char::from(DIGITS[usize::from(it)]));
    bytes.iter().flat_map(digits).collect()
}

/// The first digits, of 64, of the SHA-256 of some bytes.
pub fn hex_digest(content: impl AsRef<[u8]>, length: usize) -> String {
    cut(&Sha256::digest(content), length)
}

/// The same of several texts: which of them ends where counts.
pub fn hex_digest_of<'a>(texts: impl IntoIterator<Item = &'a str>, length: usize) -> String {
    let mut hasher = Sha256::new();
    for text in texts {
        hasher.update(text.len().to_le_bytes());
        hasher.update(text);
    }
    cut(&hasher.finalize(), length)
}

fn cut(digest: &[u8], length: usize) -> String {
    let mut digits = hexadecimal(digest);
    digits.truncate(length);
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_beginning_of_the_whole() {
        // "Secure Hash Standard", FIPS 180-4: the example of three letters.
        assert_eq!(hex_digest("abc", 8), "ba7816bf");
        assert_eq!(hex_digest("abc", 64).len(), 64);
    }

    #[test]
    fn texts_do_not_run_into_each_other() {
        assert_ne!(hex_digest_of(["ab", "c"], 16), hex_digest_of(["a", "bc"], 16));
        assert_eq!(hex_digest_of(["ab", "c"], 16), hex_digest_of(["ab", "c"], 16));
    }
}
