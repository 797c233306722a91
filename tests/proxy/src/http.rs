//! HTTP/1.1 as the proxy needs it: whole messages in memory, and connections that can be broken anywhere.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use socket2::SockRef;

/// The longest head that is read, in bytes.
const LONGEST_HEAD: usize = 256 * 1024;

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// Path and query, as they were sent.
    pub target: String,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// What it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// Names and values in the order of the wire.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of this name, whatever its case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.0.push((name.to_owned(), value.into()));
    }

    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(it, _)| !it.eq_ignore_ascii_case(name));
    }
}

/// Reads the next request of a connection; `None` where the client has closed it.
pub fn read_request(from: &mut BufReader<TcpStream>) -> io::Result<Option<Request>> {
    let Some(head) = read_head(from)? else { return Ok(None) };
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Request::new(&mut fields);
    parsed.parse(&head).map_err(malformed)?;
    let (method, target) = (parsed.method.unwrap_or_default().to_owned(), parsed.path.unwrap_or_default().to_owned());
    let mut headers = headers(parsed.headers);
    let body = read_body(from, &mut headers, Length::Said)?;
    Ok(Some(Request { method, target, headers, body }))
}

/// Sends a request over a connection of its own, and reads the answer.
pub fn forward(request: &Request, to: &str) -> io::Result<Response> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut request = request.clone();
    request.headers.set("Connection", "close");
    let head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    stream.write_all(&message(head, &request.headers, &request.body))?;
    let mut from = BufReader::new(stream);
    let head = read_head(&mut from)?.ok_or_else(|| malformed("no answer"))?;
    let mut fields = [httparse::EMPTY_HEADER; 128];
    let mut parsed = httparse::Response::new(&mut fields);
    parsed.parse(&head).map_err(malformed)?;
    let status = parsed.code.unwrap_or_default();
    let mut headers = headers(parsed.headers);
    let is_empty = status == 204 || status == 304 || request.method == "HEAD";
    let body = if is_empty { Vec::new() } else { read_body(&mut from, &mut headers, Length::OrToTheEnd)? };
    headers.remove("Connection");
    headers.remove("Keep-Alive");
    Ok(Response { status, headers, body })
}

/// Sends an answer.
pub fn answer(response: &Response, to: &mut TcpStream) -> io::Result<()> {
    to.write_all(&answer_bytes(response))
}

/// Sends all of an answer but the last half of its body, and breaks the connection.
pub fn answer_cut_short(response: &Response, to: &mut TcpStream) -> io::Result<()> {
    let bytes = answer_bytes(response);
    // A body of nothing is cut in its head.
    let missing = response.body.len().div_ceil(2).max(2);
    to.write_all(&bytes[..bytes.len() - missing])?;
    to.flush()?;
    to.shutdown(Shutdown::Both)
}

/// Breaks a connection as a network does: the other side's next read fails.
pub fn reset(stream: TcpStream) -> io::Result<()> {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))
}

fn answer_bytes(response: &Response) -> Vec<u8> {
    message(format!("HTTP/1.1 {} \r\n", response.status), &response.headers, &response.body)
}

fn message(mut head: String, headers: &Headers, body: &[u8]) -> Vec<u8> {
    let mut headers = headers.clone();
    headers.remove("Transfer-Encoding");
    headers.set("Content-Length", body.len().to_string());
    for (name, value) in &headers.0 {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Whether a body whose length nobody says is empty, or goes on until the connection ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Length {
    Said,
    OrToTheEnd,
}

fn read_head(from: &mut BufReader<TcpStream>) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::new();
    loop {
        if from.read_until(b'\n', &mut head)? == 0 {
            return if head.is_empty() { Ok(None) } else { Err(malformed("the connection ended within a head")) };
        }
        if head.ends_with(b"\r\n\r\n") {
            return Ok(Some(head));
        }
        if head.len() > LONGEST_HEAD {
            return Err(malformed("the head is too long"));
        }
    }
}

fn read_body(from: &mut BufReader<TcpStream>, headers: &mut Headers, length: Length) -> io::Result<Vec<u8>> {
    if headers.get("Transfer-Encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        headers.remove("Transfer-Encoding");
        return read_chunks(from);
    }
    let mut body = Vec::new();
    let Some(said) = headers.get("Content-Length") else {
        if length == Length::OrToTheEnd {
            from.read_to_end(&mut body)?;
        }
        return Ok(body);
    };
    let said: u64 = said.parse().map_err(|_| malformed("the length of a body is no number"))?;
    if from.take(said).read_to_end(&mut body)? as u64 != said {
        return Err(malformed("the connection ended within a body"));
    }
    Ok(body)
}

fn read_chunks(from: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let size = line.trim().split(';').next().unwrap_or_default();
        let size = u64::from_str_radix(size, 16).map_err(|_| malformed("the size of a chunk is no number"))?;
        from.take(size).read_to_end(&mut body)?;
        // The end of the chunk, or of the whole where it has the size 0.
        from.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn headers(fields: &[httparse::Header<'_>]) -> Headers {
    let text =
        |field: &httparse::Header<'_>| (field.name.to_owned(), String::from_utf8_lossy(field.value).into_owned());
    Headers(fields.iter().map(text).collect())
}

fn malformed(reason: impl ToString) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason.to_string())
}
