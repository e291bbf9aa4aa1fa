//! The metadata of a file: its type, its identity, and its owner.

/// A file or directory; symbolic links are not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) kind: EntryKind,
    pub(crate) id: FileId,
    pub(crate) user: u32,
    /// Permission bits, including the sticky bit; 0 on platforms without them.
    pub(crate) mode: u32,
    /// The number of names (hard links); 0 if the file system does not count them.
    pub(crate) names: u64,
    pub(crate) length: u64,
    /// When it was last written, in microseconds since 1970, by the clock of `file_time`.
    pub(crate) written_us: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    Directory,
    File,
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no file is looked at"))]
    Link,
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "no file is looked at"))]
    Other,
}

/// The identity of a file, whatever its path: no two existing files have the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

/// As `stat` shows it, to compare what two processes see.
impl std::fmt::Display for FileId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "device {}, inode {}", self.device, self.inode)
    }
}

impl Entry {
    pub(crate) fn is_directory(self) -> bool {
        self.kind == EntryKind::Directory
    }

    pub(crate) fn is_file(self) -> bool {
        self.kind == EntryKind::File
    }

    /// As in "... is a symbolic link".
    pub(crate) fn describe(self) -> &'static str {
        match self.kind {
            EntryKind::Directory => "a directory",
            EntryKind::File => "a file",
            EntryKind::Link => "a symbolic link",
            EntryKind::Other => "neither a file nor a directory",
        }
    }
}
