//! Files and folders that only this user may read.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Makes a folder, with mode 0700, where it is missing; its parents too. Returns whether it was made.
pub(crate) fn make_folder(path: &Path) -> io::Result<bool> {
    if path.is_dir() {
        return Ok(false);
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    Ok(true)
}

/// Makes a folder of ours or takes the one that is there: it must belong to this user. A wider mode is
/// narrowed; returns it.
pub(crate) fn own_folder(path: &Path) -> io::Result<Option<u32>> {
    make_folder(path)?;
    let folder = File::open(path)?;
    narrow(&folder, 0o700)
}

/// Opens a file of ours: a regular file, no link, that belongs to this user. A wider mode is narrowed;
/// returns it.
///
/// `options` say how; where they create it, it has mode 0600.
pub(crate) fn open(path: &Path, options: &mut OpenOptions) -> io::Result<(File, Option<u32>)> {
    // Without NONBLOCK a pipe in the file's place would hold the daemon up for ever.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits();
    let file = options.mode(0o600).custom_flags(flags.cast_signed()).open(path).map_err(|error| {
        let is_link = error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
        if is_link { io::Error::other("is a symbolic link; a regular file is needed") } else { error }
    })?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("is not a regular file"));
    }
    let wider = narrow(&file, 0o600)?;
    Ok((file, wider))
}

/// Says in the log that a wider mode has been narrowed.
pub(crate) fn tell(path: &Path, wider: Option<u32>) {
    if let Some(mode) = wider {
        log::warn!("{} had mode {mode:03o}; narrowed to this user alone", path.display());
    }
}

/// Takes rights of others away; returns the mode where there were some.
fn narrow(file: &File, mode: u32) -> io::Result<Option<u32>> {
    let meta = file.metadata()?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::other(format!("belongs to another user (uid {})", meta.uid())));
    }
    let found = meta.mode() & 0o777;
    if found & 0o077 == 0 {
        return Ok(None);
    }
    file.set_permissions(Permissions::from_mode(found & mode))?;
    Ok(Some(found))
}

/// Writes a file as a whole, with mode 0600: a reader sees the old or the new content, also after a crash.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    // One that a process with the same id left behind would be in the way for ever.
    let _ = fs::remove_file(&draft);
    write().inspect_err(|_| drop(fs::remove_file(&draft)))?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().mode() & 0o777
    }

    #[test]
    fn wider_modes_are_narrowed_and_told() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, path) = (dir.path().join("a/b"), dir.path().join("a/b/file"));
        assert_eq!(own_folder(&folder).unwrap(), None);
        fs::write(&path, "x").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        assert_eq!(own_folder(&folder).unwrap(), Some(0o755));
        assert_eq!(open(&path, File::options().read(true)).unwrap().1, Some(0o644));
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
    }

    #[test]
    fn links_folders_and_devices_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        fs::write(dir.path().join("real"), "x").unwrap();
        std::os::unix::fs::symlink("real", &link).unwrap();
        for path in [&link, dir.path(), Path::new("/dev/null")] {
            let error = open(path, File::options().read(true)).unwrap_err().to_string();
            assert!(error.contains("regular file"), "{error}");
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("daemon.json");
        for content in ["one", "two"] {
            replace(&path, content.as_bytes()).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!((mode(&path), fs::read_dir(dir.path()).unwrap().count()), (0o600, 1));
    }
}
