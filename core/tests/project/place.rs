//! Where the search ends, and which directory is the worktree.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use portalloc::project::Project;
use portalloc::{EnvironmentRequest, ErrorCode, Settings};
use portalloc_testkit::{Slice, skip_unless_root};
use tempfile::TempDir;

/// A checkout with a project file, and in it `nested`, a worktree of its own.
fn checkout() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().canonicalize().unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::create_dir_all(root.join("sub/deep")).unwrap();
    fs::create_dir_all(root.join("nested/deep")).unwrap();
    fs::write(root.join("portalloc.toml"), "ports = 2").unwrap();
    fs::write(root.join("nested/.git"), "gitdir: ../.git/worktrees/nested\n").unwrap();
    (directory, root)
}

/// How many ports the nearest file declares.
fn nearest(from: &Path) -> Option<usize> {
    Project::nearest(from).unwrap().and_then(|project| project.ports)
}

#[test]
fn the_search_ends_where_git_begins() {
    let (_directory, root) = checkout();
    assert_eq!(nearest(&root.join("sub/deep")), Some(2));
    assert_eq!(nearest(&root.join("nested/deep")), None, "a worktree inside a checkout is its own");
    fs::write(root.join("nested/portalloc.toml"), "ports = 3").unwrap();
    assert_eq!(nearest(&root.join("nested/deep")), Some(3));
    fs::remove_file(root.join("nested/.git")).unwrap();
    assert_eq!(nearest(&root.join("nested/deep")), Some(3));
}

#[test]
fn only_a_file_or_a_directory_is_git() {
    let (_directory, root) = checkout();
    let git = root.join("nested/.git");
    let put = |target: &Path| {
        fs::remove_file(&git).unwrap();
        symlink(target, &git).unwrap();
        nearest(&root.join("nested"))
    };
    assert_eq!(put(&root.join(".git")), None, "a link to one is one");
    assert_eq!(put(Path::new("/nowhere")), Some(2));
    assert_eq!(put(Path::new(".git")), Some(2), "a link to itself");
    assert_eq!(put(Path::new("/dev/null")), Some(2));
}

#[test]
fn an_environment_belongs_to_the_worktree_that_contains_the_project_file() {
    let (directory, root) = checkout();
    let slice = Slice::new(2);
    let allocator = Settings::new().directory(root.join("registry")).pool(slice.pool()).open().unwrap();
    let worktree = |project: &Project| {
        let request = EnvironmentRequest::new().ports(1).project(project);
        allocator.create_environment(&request).unwrap().record().worktree_path.clone()
    };
    fs::write(root.join("sub/portalloc.toml"), "").unwrap();
    let project = Project::nearest(&root.join("sub/deep")).unwrap().unwrap();
    assert_eq!((project.directory(), worktree(&project)), (&*root.join("sub"), root.clone()));
    // Not that of another file in the same directory, nor the directory above.
    fs::remove_dir_all(root.join(".git")).unwrap();
    assert_eq!(worktree(&project), root.join("sub"));
    fs::rename(root.join("sub/portalloc.toml"), root.join("sub/other.toml")).unwrap();
    assert_eq!(worktree(&Project::read(root.join("sub/other.toml")).unwrap()), root.join("sub"));
    drop(directory);
}

#[test]
fn variables_of_a_stranger_are_refused_where_anybody_can_write() {
    if !rustix::process::geteuid().is_root() {
        skip_unless_root("only root can give files away");
        return;
    }
    use std::os::unix::fs::{PermissionsExt, chown};
    let directory = tempfile::tempdir().unwrap();
    let inner = directory.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let file = directory.path().join("portalloc.toml");
    let mode = |mode| fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
    mode(0o1777);
    for (text, is_refused) in [("ports = 3", false), ("ports = 3\n[env]\nA = ''", true)] {
        fs::write(&file, text).unwrap();
        assert!(Project::nearest(&inner).is_ok(), "it is this user's");
        chown(&file, Some(12345), None).unwrap();
        let read = Project::nearest(&inner);
        assert_eq!(read.is_err(), is_refused, "{text}");
        if let Err(error) = read {
            assert_eq!(error.code(), ErrorCode::InvalidArgument);
            assert!(error.message().contains("portalloc.toml:3: `env` was written by user 12345"), "{error}");
        }
        mode(0o755);
        assert!(Project::nearest(&inner).is_ok(), "only its owner can have let him write there");
        mode(0o1777);
        chown(directory.path(), Some(12345), None).unwrap();
        assert!(Project::nearest(&inner).is_ok(), "the directory is his");
        chown(directory.path(), Some(0), None).unwrap();
        fs::remove_file(&file).unwrap();
    }
}
