//! Opens a registry, and opens it again if its files have been replaced: by a setup, by a user who removed them, or by
//! a program that closed its descriptors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::directory;
use super::header::Header;
use super::ports_file::Identity;
use super::{Namespace, Records, Registry, TRIES};
use crate::error::{Error, ErrorCode, Result};
use crate::random::Generators;
use crate::sys::{self, Directory, PerProcess, words};

/// Fails on a platform on which portalloc cannot hold ports.
pub(super) fn check_supported() -> Result<()> {
    match sys::unsupported() {
        None => Ok(()),
        Some(why) => Err(Error::new(ErrorCode::Unsupported, why, "use it on Linux")),
    }
}

impl Registry {
    /// Opens the registry for the network namespace of the calling thread, and creates what is missing.
    #[cfg(test)]
    pub(crate) fn open(named: Option<PathBuf>) -> Result<Self> {
        Self::open_for(named, Namespace::current()?)
    }

    /// Opens the registry again, for the same network namespace.
    fn reopen(&self) -> Result<Self> {
        Self::open_for(self.named.clone(), self.namespace)
    }

    /// Opens the registry of a network namespace, and creates what is missing.
    pub(crate) fn open_for(named: Option<PathBuf>, namespace: Namespace) -> Result<Self> {
        check_supported()?;
        let mut tries = 1..=TRIES;
        loop {
            match Self::open_once(named.clone(), namespace) {
                Err(error) if error.is_outdated() && tries.next().is_some() => {}
                done => return done,
            }
        }
    }

    fn open_once(named: Option<PathBuf>, namespace: Namespace) -> Result<Self> {
        let root = directory::root(named.as_deref())?;
        let opened = Self::open_at(&root, named.clone(), namespace, format!("net-{}", namespace.inode));
        let opened = match opened {
            // The inode belonged to an earlier namespace, whose kept environments do not matter to this one.
            Ok(None) => {
                let path = format!("net-{}-{}", namespace.inode, namespace.cookie.unwrap_or(0));
                Self::open_at(&root, named.clone(), namespace, path)
                    .and_then(|open| open.ok_or_else(Error::registry_gone))
            }
            Ok(Some(open)) => Ok(open),
            Err(error) => Err(error),
        };
        opened.map_err(|error| match named {
            Some(_) => error,
            // A setup has changed the place in the meantime.
            None if !matches!(directory::root(None), Ok(now) if now == root) => Error::registry_gone(),
            None => directory::explain_place(error, &root),
        })
    }

    /// `None` if the directory belongs to a network namespace that no longer exists.
    fn open_at(root: &Path, named: Option<PathBuf>, namespace: Namespace, name: String) -> Result<Option<Self>> {
        let around = directory::open_root(named.as_deref(), root)?;
        // The directory may have been removed, and then nothing can be created in it.
        Self::open_in(&around, root, named, namespace, name).map_err(|error| {
            if around.is_at(root) && !error.is_of_something_absent() { error } else { Error::registry_gone() }
        })
    }

    fn open_in(
        around: &Directory,
        root: &Path,
        named: Option<PathBuf>,
        namespace: Namespace,
        name: String,
    ) -> Result<Option<Self>> {
        let mount_namespace = sys::mount_namespace().map_err(|error| Error::os(words::NO_MOUNT_NAMESPACE, error))?;
        let path = root.join(name);
        let envs = path.join("envs");
        let directory = directory::open_kept(around, &path)?;
        let records = directory::open_kept(directory.open(), &envs)?;
        let user = sys::user_id();
        let mut registry = Self {
            directory,
            records: Records::new(envs, records, user),
            ports_path: path.join("ports"),
            identity: Identity::default(),
            header: Header::new(namespace.cookie),
            user,
            named,
            root: root.to_owned(),
            path,
            namespace,
            process: PerProcess::new(),
            live: PerProcess::new(),
            mount_namespace,
            generators: Generators::default(),
        };
        let (identity, header) = registry.make_ports_file()?;
        if namespace.is_successor_of(&header) {
            return Ok(None);
        }
        (registry.identity, registry.header) = (identity, header);
        registry.check_paths()?;
        Ok(Some(registry))
    }

    /// Runs `work` with this registry, and again with its replacement if it has to be opened again, for the same
    /// network namespace.
    pub(crate) fn reopening<T>(self: &Arc<Self>, mut work: impl FnMut(&Arc<Self>) -> Result<T>) -> Result<T> {
        let mut registry = self.clone();
        let mut tries = 1..=TRIES;
        loop {
            match work(&registry) {
                Err(error) if error.is_outdated() && tries.next().is_some() => {
                    if registry.is_outdated()? {
                        registry = Arc::new(self.reopen()?);
                    }
                }
                done => return done,
            }
        }
    }

    /// Whether the files have been replaced, asked after a call has met signs of that. Files that were only truncated
    /// are restored.
    pub(crate) fn is_outdated(&self) -> Result<bool> {
        match self.check_place() {
            Ok(()) => Ok(!self.is_ours()),
            Err(error) if error.is_outdated() => Ok(true),
            Err(error) => Err(error),
        }
    }
}
