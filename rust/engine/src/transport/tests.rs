//! Against raw sockets: what a kind HTTP library would never send.

use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

struct Server {
    url: String,
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Each request on each connection is answered by `respond`; `false` closes the connection.
fn serve(respond: impl Fn(&mut TcpStream) -> bool + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret-path?since=secret-query", listener.local_addr().unwrap());
    let (connections, requests) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let (count, log, respond) = (Arc::clone(&connections), Arc::clone(&requests), Arc::new(respond));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            count.fetch_add(1, SeqCst);
            let (log, respond) = (Arc::clone(&log), Arc::clone(&respond));
            std::thread::spawn(move || {
                while let Some(request) = read_request(&mut stream) {
                    log.lock().unwrap().push(request);
                    if !respond(&mut stream) {
                        return;
                    }
                }
            });
        }
    });
    Server { url, connections, requests }
}

fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        text.push(byte[0]);
    }
    let head = String::from_utf8(text).unwrap().to_lowercase();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(head + &String::from_utf8(body).unwrap())
}

fn fixed(answer: impl Into<Vec<u8>>, keep: bool) -> impl Fn(&mut TcpStream) -> bool {
    let answer = answer.into();
    move |stream| {
        let _ = stream.write_all(&answer);
        keep
    }
}

fn request(url: &str) -> HttpRequest {
    HttpRequest {
        method: Method::Get,
        url: url.to_owned(),
        token: "secret-token".to_owned(),
        body: None,
        timeout: Duration::from_secs(20),
    }
}

async fn get(url: &str) -> Result<HttpResponse, SyncError> {
    let answer = HttpTransport::new().unwrap().send(request(url)).await;
    if let Err(error) = &answer {
        assert!(!error.message.contains("secret"), "{}", error.message);
    }
    answer
}

#[tokio::test]
async fn sends_what_it_is_given_and_reuses_the_connection() {
    let server = serve(fixed("HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n{\"a\":1}", true));
    let transport = HttpTransport::new().unwrap();
    let answer = transport.send(request(&server.url)).await.unwrap();
    assert_eq!((answer.status, answer.retry_after_ms, &answer.body[..]), (200, None, &b"{\"a\":1}"[..]));
    let post = HttpRequest { method: Method::Post, body: Some(b"{\"b\":2}".to_vec()), ..request(&server.url) };
    transport.clone().send(post).await.unwrap();
    assert_eq!(server.connections.load(SeqCst), 1);
    let requests = server.requests.lock().unwrap();
    assert!(requests[0].starts_with("get /secret-path?since=secret-query http/1.1\r\n"), "{}", requests[0]);
    for part in ["authorization: bearer secret-token\r\n", "accept: application/json\r\n", "accept-encoding: gzip\r\n"]
    {
        assert!(requests[0].contains(part), "{part} is missing in {}", requests[0]);
    }
    assert!(requests[1].starts_with("post ") && requests[1].ends_with("\r\n\r\n{\"b\":2}"));
    assert!(requests[1].contains("content-type: application/json\r\n"));
}

#[tokio::test]
async fn decompresses_gzip() {
    // gzip of {"a":1}
    let body: [u8; 27] =
        [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 84, 178, 50, 172, 5, 0, 175, 172, 27, 86, 7, 0, 0, 0];
    let mut answer = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 27\r\n\r\n".to_vec();
    answer.extend(body);
    let good = serve(fixed(answer.clone(), true));
    assert_eq!(get(&good.url).await.unwrap().body, b"{\"a\":1}");
    // A flipped bit is not the protocol.
    answer[63 + 20] ^= 0x40;
    let bad = serve(fixed(answer, true));
    assert_eq!(get(&bad.url).await.unwrap_err().code, ErrorCode::BadResponse);
}

#[tokio::test]
async fn redirects_are_reported_not_followed() {
    let target = serve(fixed("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", false));
    let answer = format!("HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", target.url);
    let server = serve(fixed(answer, false));
    assert_eq!(get(&server.url).await.unwrap().status, 302);
    assert_eq!(target.connections.load(SeqCst), 0);
}

#[tokio::test]
async fn reads_retry_after() {
    let server = serve(fixed("HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n", false));
    assert_eq!(get(&server.url).await.unwrap().retry_after_ms, Some(7_000));
    let dates = "retry-after: Sun, 06 Nov 1994 08:49:47 GMT\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let server = serve(fixed(format!("HTTP/1.1 429 Slow\r\n{dates}content-length: 0\r\n\r\n"), false));
    assert_eq!(get(&server.url).await.unwrap().retry_after_ms, Some(10_000));
}

#[tokio::test]
async fn nobody_there_is_network() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = get(&format!("http://{address}/secret")).await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Network);
    assert!(error.message.contains("refused"), "{}", error.message);
    let error = get("http://no-such-host.invalid/secret").await.unwrap_err();
    assert_eq!(error.code, ErrorCode::Network);
}

#[tokio::test]
async fn hanging_up_without_an_answer_is_network() {
    let server = serve(|_| false);
    assert_eq!(get(&server.url).await.unwrap_err().code, ErrorCode::Network);
}

#[tokio::test]
async fn tls_with_somebody_who_does_not_speak_it_is_network() {
    let server = serve(fixed("HTTP/1.1 400 No\r\ncontent-length: 0\r\n\r\n", false));
    // The server reads until an empty line, which a ClientHello lacks: answer by a timeout at the latest.
    let mut request = request(&server.url.replace("http://", "https://"));
    request.timeout = Duration::from_millis(300);
    let error = HttpTransport::new().unwrap().send(request).await.unwrap_err();
    assert!(matches!(error.code, ErrorCode::Network | ErrorCode::Timeout), "{error:?}");
}

#[tokio::test]
async fn silence_is_a_timeout_before_and_within_the_body() {
    for begin in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\""] {
        let server = serve(move |stream| {
            stream.write_all(begin.as_bytes()).unwrap();
            std::thread::sleep(Duration::from_secs(3));
            false
        });
        let request = HttpRequest { timeout: Duration::from_millis(200), ..request(&server.url) };
        let error = HttpTransport::new().unwrap().send(request).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::Timeout, "{begin:?}");
        assert!(!error.message.contains("secret"));
    }
}

#[tokio::test]
async fn a_truncated_answer_is_a_bad_response() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"a\"",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"a\":\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"",
    ] {
        let server = serve(fixed(answer, false));
        assert_eq!(get(&server.url).await.unwrap_err().code, ErrorCode::BadResponse, "{answer:?}");
    }
}

#[tokio::test]
async fn an_enormous_answer_is_refused() {
    let server = serve(|stream| {
        let length = MAX_BODY_BYTES + 1;
        let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        let mebibyte = vec![b' '; 1024 * 1024];
        for _ in 0..=MAX_BODY_BYTES / mebibyte.len() {
            if stream.write_all(&mebibyte).is_err() {
                break;
            }
        }
        false
    });
    let error = get(&server.url).await.unwrap_err();
    assert_eq!((error.code, error.message.contains("64 MiB")), (ErrorCode::TooLarge, true));
}

#[tokio::test]
async fn debug_output_hides_url_token_and_body() {
    let request = HttpRequest { body: Some(b"secret".to_vec()), ..request("http://h/secret") };
    assert!(!format!("{request:?}").contains("secret"));
}
