//! Opening the registry where its place may change: registry/mod.rs, directory.rs and handle.rs of the core. What is opened is
//! looked at once it is locked, since whoever changes the place has all locks of the old file.

use crate::faults::Fault;
use crate::process::{Step, Turn};

impl Turn<'_> {
    pub(crate) fn choose_place(&mut self) {
        self.me().place = self.world.place;
        self.go(Step::FindFile);
    }

    /// A directory that was moved away since is not made anew: only a setup does that.
    pub(crate) fn find_file(&mut self) {
        let directory = self.world.directories[self.my().place];
        match (directory.exists, directory.ports) {
            (false, None) if self.has(Fault::OpenMakesThePlace) => {
                let place = self.my().place;
                self.world.directories[place].exists = true;
                self.world.place = place;
            }
            (false, _) => self.reopen(),
            (true, Some(_)) => self.go(Step::OpenRegistry),
            (true, None) if self.has(Fault::PublishWithoutDirectoryLock) => self.go(Step::PublishFile),
            (true, None) => self.go(Step::KeepPlace),
        }
    }

    pub(crate) fn can_keep_place(&self) -> usize {
        usize::from(self.world.directories[self.my().place].exclusive.is_none())
    }

    pub(crate) fn keep_place(&mut self) {
        let (who, place) = (self.who, self.my().place);
        self.world.directories[place].shared |= 1 << who;
        let next = if self.has(Fault::PublishWithoutLookAtPlace) { Step::PublishFile } else { Step::LookAtPlace };
        self.go(next);
    }

    pub(crate) fn look_at_place(&mut self) {
        let place = self.my().place;
        let is_kept = self.world.place == place && self.world.directories[place].exists;
        if is_kept { self.go(Step::PublishFile) } else { self.reopen() }
    }

    /// The file appears whole, and only if there is none.
    pub(crate) fn publish_file(&mut self) {
        let place = self.my().place;
        if self.world.directories[place].ports.is_none() {
            let new = self.world.new_file();
            self.world.directories[place].ports = Some(new);
        }
        self.world.leave_directories(self.who);
        self.go(Step::OpenRegistry);
    }

    pub(crate) fn open_registry(&mut self) {
        let Some(file) = self.world.directories[self.my().place].ports else { return self.reopen() };
        let me = self.me();
        (me.is_open, me.identity, me.file) = (true, file, file);
        self.go(Step::OpenFile);
    }

    /// By its path, wherever that leads by now.
    pub(crate) fn open_file(&mut self) {
        let Some(file) = self.world.directories[self.my().place].ports else { return self.reopen() };
        self.me().file = file;
        self.go(Step::Lock);
    }

    /// Whether the file that it has locked still has a name, and is the one that the registry has.
    pub(crate) fn look_if_linked(&mut self) {
        let (file, identity) = (self.my().file, self.my().identity);
        let is_linked = self.world.directories.iter().any(|directory| directory.ports == Some(file));
        if is_linked && file == identity { self.locked() } else { self.reopen() }
    }

    /// Nothing is to be had: was it the right place to look in?
    pub(crate) fn check_place(&mut self) {
        let directory = self.world.directories[self.my().place];
        let is_right = self.world.place == self.my().place && directory.ports == Some(self.my().identity);
        if is_right || self.has(Fault::NoCheckOfPlace) { self.start_over() } else { self.reopen() }
    }
}
