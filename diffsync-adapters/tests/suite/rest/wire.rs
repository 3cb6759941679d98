//! A server that does with each connection what a test says: answers, says nothing, drips, hangs up.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diffsync_adapters::rest::{Client, ClientBuilder, RetryPolicy};
use diffsync_core::value::{Secret, Url};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// The login of all clients here. It must be seen nowhere but in a header.
pub(crate) const TOKEN: &str = "t0ken-that-nobody-sees";

/// The reply to a request.
#[derive(Clone)]
pub(crate) enum Reply {
    /// It is answered.
    Answer(Vec<u8>),
    /// It is answered with this, one byte after the other with such pauses.
    Drip(Vec<u8>, Duration),
    /// It is answered with this, and not before that time.
    Late(Vec<u8>, Duration),
    /// It is answered with this, and then nothing comes.
    Stall(Vec<u8>),
    /// It is answered with this, and then the connection ends.
    Cut(Vec<u8>),
}

/// An answer with a body.
pub(crate) fn reply(status: u16, headers: &str, body: &str) -> Reply {
    Reply::Answer(text(status, headers, body.as_bytes()))
}

pub(crate) fn json(body: &str) -> Reply {
    reply(200, "content-type: application/json\r\n", body)
}

pub(crate) fn text(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The reply to the nth request.
type Replying = dyn Fn(usize, &str) -> Reply + Send + Sync;

/// A server, and the requests that it received.
pub(crate) struct Wire {
    pub(crate) url: Url,
    requests: Arc<Mutex<Vec<String>>>,
    /// The certificate, if the server uses TLS.
    pub(crate) certificate: String,
}

impl Wire {
    /// A server that does with the nth connection what `replies` says; with all later ones what it says of the last.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Vec<Reply> = replies.into_iter().collect();
        Self::answering(move |nth, _| replies[nth.min(replies.len() - 1)].clone()).await
    }

    /// A server that does what `reply` says of the nth request.
    pub(crate) async fn answering(reply: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(Arc::new(reply), None).await
    }

    /// One that proves by its own word only who it is.
    pub(crate) async fn self_signed(reply: Reply) -> Self {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let config = ServerConfig::builder().with_no_client_auth();
        let config = config.with_single_cert(vec![cert.der().clone()], key).unwrap();
        let wire =
            Self::listen(Arc::new(move |_, _: &str| reply.clone()), Some(TlsAcceptor::from(Arc::new(config)))).await;
        Self { certificate: cert.pem(), ..wire }
    }

    async fn listen(reply: Arc<Replying>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (reply, seen, tls) = (Arc::clone(&reply), Arc::clone(&seen), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => serve(socket, &*reply, &seen).await,
                        Some(tls) => match tls.accept(socket).await {
                            Ok(socket) => serve(socket, &*reply, &seen).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        let url = Url::parse(&format!("{scheme}://{address}/base/api")).unwrap();
        Self { url, requests, certificate: String::new() }
    }

    /// A client that does not wait for long.
    pub(crate) fn builder(&self) -> ClientBuilder {
        let retries = RetryPolicy {
            times: 3,
            first_pause: Duration::from_millis(4),
            longest_pause: Duration::from_millis(20),
            longest_wait: Duration::from_secs(2),
            max_elapsed: Duration::from_secs(10),
        };
        Client::builder(self.url.clone()).token_auth(&Secret::new(TOKEN.to_owned())).retry_policy(retries)
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// The requests that it received, with headers and bodies.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The method and path of each request.
    pub(crate) fn lines(&self) -> Vec<String> {
        let first = |request: &String| request.lines().next().unwrap_or_default().replace(" HTTP/1.1", "");
        self.requests().iter().map(first).collect()
    }
}

async fn serve(
    mut socket: impl AsyncRead + AsyncWrite + Unpin,
    reply: &Replying,
    seen: &Mutex<Vec<String>>,
) -> Option<()> {
    let request = read(&mut socket).await?;
    let nth = {
        let mut seen = seen.lock().unwrap();
        seen.push(request.clone());
        seen.len() - 1
    };
    match reply(nth, &request) {
        Reply::Answer(bytes) | Reply::Cut(bytes) => socket.write_all(&bytes).await.ok()?,
        Reply::Late(bytes, pause) => {
            tokio::time::sleep(pause).await;
            socket.write_all(&bytes).await.ok()?;
        }
        Reply::Drip(bytes, pause) => {
            for byte in bytes {
                socket.write_all(&[byte]).await.ok()?;
                socket.flush().await.ok()?;
                tokio::time::sleep(pause).await;
            }
        }
        Reply::Stall(bytes) => {
            socket.write_all(&bytes).await.ok()?;
            socket.flush().await.ok()?;
            tokio::time::sleep(Duration::from_mins(10)).await;
        }
    }
    socket.shutdown().await.ok()
}

/// A request with its body.
async fn read(socket: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return Some(text.into_owned());
            }
        }
        let mut more = [0; 4096];
        let read = socket.read(&mut more).await.ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(&more[..read]);
    }
}
