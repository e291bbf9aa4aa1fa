//! Opening a registry, and opening it anew where its files are no longer those that others open: a setup has changed its
//! place, somebody has removed it, or the program has closed its descriptors.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::folder;
use super::header::Header;
use super::ports_file::Identity;
use super::{Namespace, Records, Registry, TRIES};
use crate::error::{Error, ErrorCode, Result};
use crate::random::Generators;
use crate::sys::{self, Folder, PerProcess, words};

/// On a platform on which portalloc cannot hold ports nothing is opened.
pub(super) fn check_supported() -> Result<()> {
    match sys::unsupported() {
        None => Ok(()),
        Some(why) => Err(Error::new(ErrorCode::Unsupported, why, "use it on Linux")),
    }
}

impl Registry {
    /// Opens the registry for the network namespace of the calling thread, making what is missing.
    #[cfg(test)]
    pub(crate) fn open(named: Option<PathBuf>) -> Result<Self> {
        Self::open_for(named, Namespace::current()?)
    }

    /// Opens it anew, for the same network namespace.
    fn reopen(&self) -> Result<Self> {
        Self::open_for(self.named.clone(), self.namespace)
    }

    /// Opens the registry of a network namespace, making what is missing.
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
        let root = folder::root(named.as_deref())?;
        let opened = Self::open_at(&root, named.clone(), namespace, format!("net-{}", namespace.inode));
        let opened = match opened {
            // Its inode was another's before, whose kept environments are none of this one's business.
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
            // A setup has come in between.
            None if !matches!(folder::root(None), Ok(now) if now == root) => Error::registry_gone(),
            None => folder::explain_place(error, &root),
        })
    }

    /// `None`: the folder is that of a network namespace that is gone.
    fn open_at(root: &Path, named: Option<PathBuf>, namespace: Namespace, name: String) -> Result<Option<Self>> {
        let around = folder::open_root(named.as_deref(), root)?;
        // In a folder that is removed meanwhile nothing can be made.
        Self::open_in(&around, root, named, namespace, name).map_err(|error| {
            if around.is_at(root) && !error.is_of_something_absent() { error } else { Error::registry_gone() }
        })
    }

    fn open_in(
        around: &Folder,
        root: &Path,
        named: Option<PathBuf>,
        namespace: Namespace,
        name: String,
    ) -> Result<Option<Self>> {
        let mount_namespace = sys::mount_namespace().map_err(|error| Error::os(words::NO_MOUNT_NAMESPACE, error))?;
        let path = root.join(name);
        let envs = path.join("envs");
        let kept = |folder: Folder, path: &Path| {
            folder
                .kept()
                .map_err(|error| Error::registry(format!("cannot use the registry folder {}", path.display()), error))
        };
        let folder = folder::open(Some(around), &path)?;
        let records = kept(folder::open(Some(&folder), &envs)?, &envs)?;
        let mut registry = Self {
            folder: kept(folder, &path)?,
            records: Records::new(envs, records),
            ports_path: path.join("ports"),
            identity: Identity::default(),
            header: Header::new(namespace.cookie),
            user: sys::user_id(),
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
        registry.check()?;
        Ok(Some(registry))
    }

    /// Does `work` with it, and again with what was opened in its place, for the same network namespace.
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

    /// Whether its files are no longer those that others open, now that a call has met something of the kind. What was only cut
    /// short is restored.
    pub(crate) fn is_outdated(&self) -> Result<bool> {
        match self.check_place() {
            Ok(()) => Ok(!self.is_ours()),
            Err(error) if error.is_outdated() => Ok(true),
            Err(error) => Err(error),
        }
    }
}
