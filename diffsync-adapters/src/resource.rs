//! Systems as texts that differ if the systems do, so that two runs do not write to one at the same time. One system may
//! still have two names, such as a host and its address.

#[cfg(any(feature = "file", feature = "sql"))]
use std::path::Path;

/// A file or a folder, which need not exist yet.
#[cfg(any(feature = "file", feature = "sqlite"))]
pub(crate) fn of_path(path: &Path) -> String {
    // Links are followed as far as the path exists; the rest of it cannot hold any.
    let mut missing = Vec::new();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut existing = absolute.as_path();
    let mut resolved = loop {
        if let Ok(resolved) = existing.canonicalize() {
            break resolved;
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                existing = parent;
            }
            _ => break existing.to_owned(),
        }
    };

    resolved.extend(missing.into_iter().rev());
    format!("file://{}", resolved.display())
}

/// A database on a server, reached over the network or through a socket.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn of_database(
    engine: &str,
    host: &str,
    port: u16,
    socket: Option<&Path>,
    database: Option<&str>,
) -> String {
    let host = match host.to_ascii_lowercase().as_str() {
        "127.0.0.1" | "::1" | "[::1]" => "localhost".to_owned(),
        host => host.to_owned(),
    };
    let host = socket.map_or(host, |socket| socket.display().to_string());
    format!("{engine}://{host}:{port}/{}", database.unwrap_or_default())
}

/// A server at a URL, without its login, query and fragment.
#[cfg(feature = "rest")]
pub(crate) fn of_url(url: &diffsync_core::value::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path().trim_end_matches('/'))
}

#[cfg(all(test, any(feature = "file", feature = "rest", feature = "sqlite")))]
mod tests {
    use super::*;

    #[cfg(any(feature = "file", feature = "sqlite"))]
    #[test]
    fn one_folder_has_one_name_by_whichever_path_and_also_before_it_exists() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        std::fs::create_dir(&real).unwrap();
        let link = folder.path().join("link");
        #[cfg(unix)]
        std::os::unix::fs::symlink(&real, &link).unwrap();
        #[cfg(not(unix))]
        let link = real.clone();

        let detour = real.join("..").join("real");
        assert_eq!(of_path(&link), of_path(&real));
        assert_eq!(of_path(&detour), of_path(&real));
        assert_eq!(of_path(&link.join("new.db")), of_path(&real.join("new.db")));
        assert_ne!(of_path(&real.join("other.db")), of_path(&real.join("new.db")));

        let before = of_path(&real.join("new.db"));
        std::fs::write(real.join("new.db"), "").unwrap();
        assert_eq!(of_path(&link.join("new.db")), before);
    }

    #[cfg(feature = "rest")]
    #[test]
    fn a_server_has_one_name_and_no_login() {
        let name = |url: &str| of_url(&diffsync_core::value::Url::parse(url).unwrap());
        assert_eq!(name("https://me:secret@IPAM.example.org/api/?x=1"), "https://ipam.example.org:443/api");
        assert_eq!(name("https://ipam.example.org:443/api"), name("https://you@ipam.example.org/api/"));
        assert_ne!(name("https://ipam.example.org/api"), name("https://ipam.example.org/other"));
    }
}
