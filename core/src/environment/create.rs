//! Creates environments.

use std::collections::BTreeMap;
use std::panic::Location;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use log::debug;

use super::request::after;
use super::{EnvFile, Environment, EnvironmentRequest, env_file, temp_dir};
use crate::allocator::Allocator;
use crate::error::{Error, ErrorCode, Result};
use crate::id::IsolationId;
use crate::lease::{self, Lease};
use crate::names::check_instance_id;
use crate::process::Maker;
use crate::registry::{Label, Lifetime, Record, RecordPorts, Registry, project_name};
use crate::time::Timestamp;

/// As many ID collisions in a row as can be chance; beyond that something is broken.
const ID_TRIES: usize = 999;

impl Allocator {
    /// Creates an environment. If it fails, nothing is left behind. Blocks only if the request waits for ports.
    ///
    /// # Errors
    /// As [`Allocator::lease`], and `invalid_argument` (names, worktree, TTL), `not_found` (owner), `env_file_exists`,
    /// `id_exhausted`, `permission_denied`, `io`.
    #[track_caller]
    pub fn create_environment(&self, request: &EnvironmentRequest) -> Result<Environment> {
        let (start, caller) = (Instant::now(), Location::caller());
        self.in_registry(|allocator| {
            // The search for ports checks the network namespace: by its sockets, and again if it finds none.
            allocator.registry.check_place()?;
            allocator.create(request, start, caller, |_| Ok(()))
        })
    }

    /// As [`create_environment`](Self::create_environment), in the open registry. `publish` is called with the complete
    /// record, before that is finished.
    pub(crate) fn create(
        &self,
        request: &EnvironmentRequest,
        start: Instant,
        caller: &'static Location<'static>,
        publish: impl FnOnce(&Record) -> Result<()>,
    ) -> Result<Environment> {
        let registry = &self.registry;
        check_instance_id(request.instance())?;
        let life = request.life()?;
        let worktree = request.place_of_work()?;
        let lease_request = request.lease(&worktree)?.called_from(caller);
        let temp_base = temp_dir::base()?;

        let id = IsolationId::generate(&worktree, request.instance())?;
        // step: TakePorts
        let mut lease = lease::take_ports(self, &lease_request, start, Some(id))?;
        // The same time for label and record: when the ports were taken.
        let created_at = Timestamp::from_unix_ms(lease.label().since_ms);
        let expires_at = life.ttl.map(|ttl| after(created_at, ttl)).transpose()?;
        let holder = registry.process()?;
        let (ports, lease_number) = (lease.ports().to_vec(), lease.label().lease);
        let blank = |id| Record {
            format: Record::FORMAT,
            isolation_id: id,
            compose_project_name: project_name(id),
            worktree_path: worktree.clone(),
            instance_id: request.instance().to_owned(),
            temp_dir: temp_base.join(project_name(id)),
            lock_file: registry.records().path(id),
            env_file: None,
            ports: RecordPorts {
                base_port: ports.first().copied().unwrap_or_default(),
                count: ports.len(),
                ports: ports.clone(),
            },
            names: request.port_names().to_vec(),
            env: BTreeMap::new(),
            lifetime: life.lifetime,
            created_at,
            expires_at,
            holder,
            owner: life.owner,
            mount_namespace: registry.mount_namespace(),
            lease: lease_number,
            // Until the environment is complete, so that an unfinished one is stale once its creator dies.
            is_unfinished: true,
            aliases: request.aliases(),
        };
        let draft = |id| {
            let record = blank(id);
            let env = record.env_of(request.env());
            Record { env, ..record }
        };
        // step: ClaimId
        let record = claim_id(registry, id, draft, &mut lease, &request.env_file)?;
        // From here on, dropping the environment removes whatever was created.
        let mut environment = Environment {
            registry: registry.clone(),
            record,
            lease: Mutex::new(Some(Arc::new(lease))),
            maker: Some(Maker::this_process()),
        };
        // step: PlaceEnvFile
        environment.write_env_file(registry, &request.env_file)?;
        publish(&environment.record)?;
        // step: FinishEnvironment
        environment.finish(registry)?;
        debug!("made environment {id} of {}", worktree.display());
        Ok(environment)
    }
}

/// Creates record and temp directory under an unused ID; `id` is tried first. If it fails, neither is left behind.
fn claim_id(
    registry: &Registry,
    mut id: IsolationId,
    draft: impl Fn(IsolationId) -> Record,
    lease: &mut Lease,
    env_file: &EnvFile,
) -> Result<Record> {
    for _ in 0..ID_TRIES {
        let mut record = draft(id);
        record.env_file = env_file::expected(registry, &record, env_file)?;
        if lease.label().id != Some(id) {
            // step: LabelAnew
            lease.relabel(Label { id: Some(id), ..*lease.label() })?;
        }
        // step: LookForTempDir, CreateRecord
        if !temp_dir::exists(&record.temp_dir)? && registry.records().create(&record)? {
            // step: MakeTempDir
            match temp_dir::create(&record.temp_dir, registry) {
                Ok(true) => return Ok(record),
                // step: RemoveUnclaimed
                Ok(false) => registry.records().remove(id, true)?,
                Err(error) => return registry.records().remove(id, true).and(Err(error)),
            }
        }
        id = IsolationId::generate(&record.worktree_path, &record.instance_id)?;
    }
    Err(Error::new(
        ErrorCode::IdExhausted,
        format!("{ID_TRIES} isolation IDs in a row are taken"),
        "check the random source of this machine and the registry's directory",
    ))
}

impl Environment {
    fn write_env_file(&mut self, registry: &Registry, choice: &EnvFile) -> Result<()> {
        let written = env_file::write(registry, &self.record, choice)?;
        if written != self.record.env_file {
            self.record.env_file = written;
            // step: RecordEnvFile
            registry.records().replace(&self.record)?;
        }
        Ok(())
    }

    /// Releases a kept environment: its labels claim the ports first, then its record is renamed to confirm that, then
    /// the lock is released. Once the record has its final name, the environment outlives its creator.
    fn finish(&mut self, registry: &Registry) -> Result<()> {
        let is_kept = self.record.lifetime == Lifetime::Kept;
        let lease = self.lease.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(lease) = lease.as_mut().filter(|_| is_kept).and_then(Arc::get_mut) {
            // step: KeepLabel
            lease.relabel(self.record.label())?;
        }
        // step: Finish
        registry.records().finish(self.record.isolation_id)?;
        self.record.is_unfinished = false;
        if let Some(kept) = lease.as_ref().filter(|_| is_kept) {
            // A process that restored a truncated file meanwhile found a record that claims nothing.
            // step: ReadBack
            kept.restore_labels()?;
        }
        if let Some(kept) = lease.take_if(|_| is_kept) {
            // step: LeaveToLabels
            kept.leave_to_labels();
        }
        Ok(())
    }
}
