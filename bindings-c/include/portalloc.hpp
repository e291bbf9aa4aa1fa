/*
 * portalloc for C++17 and newer: portalloc.h with owners, exceptions and containers.
 *
 * Where a function of portalloc.h fails, these throw portalloc::error. Owners can be moved but not copied; a moved-from owner
 * holds nothing, and calls on it throw. Destructors never throw. For threads and fork see portalloc.h.
 */
#ifndef PORTALLOC_HPP
#define PORTALLOC_HPP

#include "portalloc.h"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#if __has_include(<source_location>)
#include <source_location>
#endif
#endif

namespace portalloc {

using port_type = std::uint16_t;

class cancel;

/** Why a call failed. what() is the message, with the remedy behind it. */
class error : public std::runtime_error {
public:
    error(portalloc_result result, const std::string &message, const std::string &remedy)
        : std::runtime_error(remedy.empty() ? message : message + "; " + remedy), result_(result), remedy_(remedy) {}

    /** The stable code, the same in every language: "pool_exhausted". */
    const char *code() const noexcept {
        const char *code = portalloc_error_code(static_cast<std::uint32_t>(result_));
        return code == nullptr ? "internal" : code;
    }

    portalloc_result result() const noexcept { return result_; }

    /** What to do next. */
    const std::string &remedy() const noexcept { return remedy_; }

private:
    portalloc_result result_;
    std::string remedy_;
};

/** milliseconds::max(), which is `forever`, waits without limit. */
using milliseconds = std::chrono::milliseconds;
inline constexpr milliseconds forever = milliseconds::max();

namespace detail {

inline void check(portalloc_result result) {
    if (result != PORTALLOC_RESULT_OK) {
        throw error(result, portalloc_last_error_message(), portalloc_last_error_remedy());
    }
}

/** A number that the caller has given, also where it is 0. */
inline std::int64_t given(std::int64_t number) { return number == 0 ? PORTALLOC_ZERO : number; }

inline std::uint32_t given(const std::optional<bool> &on) {
    return !on ? PORTALLOC_SWITCH_UNSET : *on ? PORTALLOC_SWITCH_ON : PORTALLOC_SWITCH_OFF;
}

inline const portalloc_cancel *handle(const cancel *cancel);

inline const char *text(const std::optional<std::string> &text) { return text ? text->c_str() : nullptr; }

inline std::string text(const char *text) { return text == nullptr ? std::string() : std::string(text); }

inline std::optional<std::string> maybe(const char *text) {
    return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

/** The start of an array; not NULL if the array is empty, because an empty list is not the same as no list. */
template <typename Number>
const Number *start(const std::optional<std::vector<Number>> &numbers) {
    static const Number nothing = 0;
    return !numbers ? nullptr : numbers->empty() ? &nothing : numbers->data();
}

template <typename Number>
std::size_t size(const std::optional<std::vector<Number>> &numbers) {
    return numbers ? numbers->size() : 0;
}

template <typename Handle, void (*Free)(Handle *)>
struct freed {
    void operator()(Handle *handle) const noexcept { Free(handle); }
};

template <typename Handle, void (*Free)(Handle *)>
using owner = std::unique_ptr<Handle, freed<Handle, Free>>;

/** Takes over a string that the library has written; NULL becomes none. */
inline std::optional<std::string> taken(char *string) {
    const owner<char, portalloc_string_free> owned(string);
    return maybe(string);
}

/** The ports of an owner. */
class port_list {
public:
    using value_type = port_type;
    using const_iterator = std::vector<port_type>::const_iterator;

    const std::vector<port_type> &ports() const noexcept { return ports_; }
    const_iterator begin() const noexcept { return ports_.begin(); }
    const_iterator end() const noexcept { return ports_.end(); }
    std::size_t size() const noexcept { return ports_.size(); }
    bool empty() const noexcept { return ports_.empty(); }
    port_type operator[](std::size_t index) const noexcept { return ports_[index]; }
    const port_type *data() const noexcept { return ports_.data(); }
#if __cplusplus >= 202002L
    std::span<const port_type> span() const noexcept { return ports_; }
#endif

protected:
    port_list() = default;

    template <typename Handle>
    void read(std::size_t (*from)(const Handle *, port_type *, std::size_t), const Handle *handle) {
        ports_.resize(from(handle, nullptr, 0));
        from(handle, ports_.data(), ports_.size());
    }

    std::vector<port_type> ports_;
};

}  // namespace detail

/** Ends waits early, from another thread. */
class cancel {
public:
    cancel() {
        portalloc_cancel *made = nullptr;
        detail::check(portalloc_cancel_new(&made));
        handle_.reset(made);
    }

    void now() const noexcept { portalloc_cancel_now(handle_.get()); }
    const portalloc_cancel *get() const noexcept { return handle_.get(); }

private:
    detail::owner<portalloc_cancel, portalloc_cancel_free> handle_;
};

inline const portalloc_cancel *detail::handle(const cancel *cancel) {
    return cancel == nullptr ? nullptr : cancel->get();
}

/** A file descriptor that its destructor closes. */
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor &&other) noexcept : number_(std::exchange(other.number_, -1)) {}
    descriptor &operator=(descriptor &&other) noexcept {
        if (this != &other) {
            close();
            number_ = std::exchange(other.number_, -1);
        }
        return *this;
    }
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor() { close(); }

    int get() const noexcept { return number_; }

    /** Returns the number; the caller has to close it. */
    int release() noexcept { return std::exchange(number_, -1); }

    void close() noexcept {
        if (number_ >= 0) {
            ::close(std::exchange(number_, -1));
        }
    }

private:
    int number_ = -1;
};

/** As portalloc_lease_options. */
struct lease_options {
    std::optional<std::int64_t> count;
    std::optional<std::vector<port_type>> exact;
    std::optional<std::vector<std::int64_t>> offsets;
    std::optional<std::string> pool;
    std::optional<std::string> exclude;
    std::optional<std::string> sticky_key;
    std::optional<std::string> place;
    milliseconds wait{0};
    const portalloc::cancel *cancel = nullptr;
    bool scattered = false;
    bool guard = false;
    /** Base ports to try before all others. */
    std::vector<port_type> prefer;
};

/** As portalloc_socket_options. */
struct socket_options {
    std::optional<std::string> host;
    portalloc_socket_type type = PORTALLOC_SOCKET_TYPE_TCP;
    bool bound_only = false;
};

class environment;

/** Ports that no other process is given until this is closed or destroyed, or the process ends. */
class [[nodiscard]] lease : public detail::port_list {
public:
    /** One port. */
    [[nodiscard]] lease() : lease(lease_options{}) {}

    /** Consecutive ports. */
    [[nodiscard]] explicit lease(std::size_t count) : lease(run(count)) {}

    [[nodiscard]] explicit lease(const lease_options &wanted) {
        portalloc_lease_options options = portalloc_lease_options_default();
        options.count = wanted.count ? detail::given(*wanted.count) : 0;
        options.exact = detail::start(wanted.exact);
        options.exact_count = detail::size(wanted.exact);
        options.offsets = detail::start(wanted.offsets);
        options.offsets_count = detail::size(wanted.offsets);
        options.pool = detail::text(wanted.pool);
        options.exclude = detail::text(wanted.exclude);
        options.sticky_key = detail::text(wanted.sticky_key);
        options.place = detail::text(wanted.place);
        options.wait_ms = wanted.wait.count();
        options.cancel = detail::handle(wanted.cancel);
        options.scattered = wanted.scattered;
        options.guard = wanted.guard;
        options.prefer = wanted.prefer.data();
        options.prefer_count = wanted.prefer.size();
        portalloc_lease *made = nullptr;
        detail::check(portalloc_lease_new(&options, &made));
        take(made);
    }

    /** The first, or the only one. */
    port_type port() const { return ports_.empty() ? port_type{0} : ports_.front(); }

    /** Gives the ports back. Close your own sockets first. The numbers can still be read. */
    void close() { detail::check(portalloc_lease_release(handle_.get())); }
    bool is_released() const noexcept { return portalloc_lease_is_released(handle_.get()); }

    /** Whether the lease still has its ports; false also if the program has closed or replaced its descriptor. */
    bool is_held() const noexcept { return portalloc_lease_is_held(handle_.get()); }

    void guard() { detail::check(portalloc_lease_guard(handle_.get())); }
    void share_guard() { detail::check(portalloc_lease_share_guard(handle_.get())); }
    void drop_guard() { detail::check(portalloc_lease_drop_guard(handle_.get())); }
    portalloc_guard guard_state() const noexcept { return portalloc_lease_guard_state(handle_.get()); }

    /** Binds the port at this index and returns the socket, to be passed to the server. */
    descriptor socket(std::size_t index = 0, const socket_options &wanted = {}) const {
        portalloc_socket_options options = portalloc_socket_options_default();
        options.host = detail::text(wanted.host);
        options.type = static_cast<std::uint32_t>(wanted.type);
        options.bound_only = wanted.bound_only;
        std::int32_t number = -1;
        detail::check(portalloc_lease_socket(handle_.get(), static_cast<std::int64_t>(index), &options, &number));
        return descriptor(number);
    }

    /** A copy of the lease's descriptor: processes started while it is open inherit the lease. */
    descriptor inheritable() const {
        std::int32_t number = -1;
        detail::check(portalloc_lease_inheritable(handle_.get(), &number));
        return descriptor(number);
    }

    const portalloc_lease *get() const noexcept { return handle_.get(); }

private:
    friend class environment;

    /** Not a constructor from a pointer: lease(0) would be one. */
    struct handed {
        portalloc_lease *handle;
    };
    explicit lease(handed over) { take(over.handle); }

    static lease_options run(std::size_t count) {
        lease_options options;
        options.count = static_cast<std::int64_t>(count);
        return options;
    }

    void take(portalloc_lease *made) {
        handle_.reset(made);
        read(portalloc_lease_ports, static_cast<const portalloc_lease *>(made));
    }

    detail::owner<portalloc_lease, portalloc_lease_free> handle_;
};

/** As portalloc_environment_options. */
struct environment_options {
    std::optional<std::int64_t> count;
    std::vector<std::string> names;
    std::optional<std::vector<port_type>> exact;
    std::optional<std::vector<std::int64_t>> offsets;
    std::optional<std::string> pool;
    std::optional<std::string> exclude;
    std::optional<std::string> instance_id;
    std::optional<std::string> worktree;
    std::optional<std::string> env_file;
    std::optional<std::string> place;
    portalloc_env_file env_file_place = PORTALLOC_ENV_FILE_NONE;
    std::optional<milliseconds> ttl;
    std::optional<std::int64_t> owner_pid;
    milliseconds wait{0};
    const portalloc::cancel *cancel = nullptr;
    bool scattered = false;
    /** As portalloc.toml says if it is not set, as is the following. */
    std::optional<bool> guard;
    std::optional<bool> sticky;
    bool kept = false;
    /** Base ports to try before all others. */
    std::vector<port_type> prefer;
};

/** As portalloc_stop_options. */
struct stop_options {
    std::optional<std::vector<port_type>> ports;
    std::optional<milliseconds> timeout;
    const portalloc::cancel *cancel = nullptr;
    bool dry_run = false;
};

/** As portalloc_ready_options. */
struct ready_options {
    std::optional<std::string> http;
    std::optional<std::int64_t> status;

    /** Valid while this lives. */
    portalloc_ready_options raw() const {
        portalloc_ready_options options = portalloc_ready_options_default();
        options.http = detail::text(http);
        options.status = status ? detail::given(*status) : 0;
        return options;
    }
};

/** A share in a kept environment: while a process has it, no cleanup removes the environment. */
class [[nodiscard]] hold {
public:
    /** For a child process: it inherits the hold while this is open, and counts as the environment's own. */
    descriptor inheritable() const {
        int copy = -1;
        detail::check(portalloc_hold_inheritable(handle_.get(), &copy));
        return descriptor(copy);
    }

private:
    friend class environment;

    explicit hold(portalloc_hold *made) : handle_(made) {}

    detail::owner<portalloc_hold, portalloc_hold_free> handle_;
};

/** A lease with an ID, a temp directory and variables. A held environment ends with its owner. */
class [[nodiscard]] environment : public detail::port_list {
public:
    /** The ports that the project file declares, else five. */
    [[nodiscard]] environment() : environment(environment_options{}) {}

    [[nodiscard]] explicit environment(const environment_options &wanted)
        : environment(made(wanted, portalloc_environment_new)) {}

    /** The environment that the variable ISOLATION_ID names, if it is alive; else a new one. */
    static environment current(const environment_options &wanted = {}) {
        return environment(made(wanted, portalloc_environment_current));
    }

    /** The live environment with this ID, or without one that of the variable ISOLATION_ID. */
    static environment attach(const std::optional<std::string> &id = std::nullopt) {
        portalloc_environment *found = nullptr;
        detail::check(portalloc_environment_attach(detail::text(id), &found));
        return environment(found);
    }

    /** That of the worktree: made if there is none, and the same ever after. It stays when this object is closed or ends. */
    static environment of_worktree(const environment_options &wanted = {}) {
        return environment(made(wanted, portalloc_worktree_environment), stays{});
    }

    /** That of the worktree, if it was made. */
    static std::optional<environment> find_of_worktree(const environment_options &wanted = {}) {
        try {
            return environment(made(wanted, portalloc_worktree_environment_find), stays{});
        } catch (const error &missing) {
            if (missing.result() != PORTALLOC_RESULT_NOT_FOUND) {
                throw;
            }
            return std::nullopt;
        }
    }

    /** That of the worktree, on other ports if a foreign process is on one, or if others are declared. */
    static environment repair_of_worktree(const environment_options &wanted = {}) {
        return environment(made(wanted, portalloc_worktree_environment_repair), stays{});
    }

    /** Ends this environment's servers and nothing else; the report as JSON. See portalloc_environment_stop. */
    std::string stop(const stop_options &wanted = {}) const { return ended(wanted, portalloc_environment_stop); }

    /** Ends this environment's servers, and then it; the report as JSON. See portalloc_environment_down. */
    std::string down(const stop_options &wanted = {}) const { return ended(wanted, portalloc_environment_down); }

    /** Waits until servers of this environment are ready on these ports; without any, on all of its ports. */
    void wait_until_ours(const std::vector<port_type> &ports, milliseconds limit, const ready_options &wanted = {},
                         const portalloc::cancel *cancel = nullptr) const {
        const portalloc_ready_options options = wanted.raw();
        detail::check(portalloc_wait_until_ours(get(), ports.data(), ports.size(), &options, limit.count(),
                                                detail::handle(cancel)));
    }

    /** Keeps the variables in a block of this file. */
    void write_block(const std::string &path) const {
        detail::check(portalloc_environment_write_block(get(), path.c_str()));
    }

    /** Keeps this environment, if it is a kept one, from being removed. */
    portalloc::hold hold() const {
        portalloc_hold *made = nullptr;
        detail::check(portalloc_environment_hold(get(), &made));
        return portalloc::hold(made);
    }

    std::string id() const { return detail::text(portalloc_environment_id(get())); }
    std::string temp_dir() const { return detail::text(portalloc_environment_temp_dir(get())); }
    std::optional<std::string> env_file() const { return detail::maybe(portalloc_environment_env_file(get())); }
    std::string worktree() const { return detail::text(portalloc_environment_worktree(get())); }
    std::string instance_id() const { return detail::text(portalloc_environment_instance_id(get())); }
    bool is_kept() const noexcept { return portalloc_environment_is_kept(get()); }
    bool is_attached() const noexcept { return portalloc_environment_is_attached(get()); }

    /** The port of this name, or at this index in digits; throws if there is none. */
    port_type port(const std::string &name) const {
        const port_type port = portalloc_environment_port(get(), name.c_str());
        if (port == 0) {
            throw error(PORTALLOC_RESULT_INVALID_ARGUMENT, portalloc_last_error_message(),
                        portalloc_last_error_remedy());
        }
        return port;
    }

    /** The name of the port at this index, if it has one. */
    std::optional<std::string> name(std::size_t index) const {
        return detail::maybe(portalloc_environment_name(get(), index));
    }

    /** Names and values, for processes that you start. */
    std::vector<std::pair<std::string, std::string>> variables() const {
        std::vector<std::pair<std::string, std::string>> variables(portalloc_environment_variable_count(get()));
        for (std::size_t index = 0; index < variables.size(); index++) {
            variables[index] = {detail::text(portalloc_environment_variable_name(get(), index)),
                                detail::text(portalloc_environment_variable_value(get(), index))};
        }
        return variables;
    }

    /** For guards, sockets and inheritance. */
    portalloc::lease lease() const {
        portalloc_lease *found = nullptr;
        detail::check(portalloc_environment_lease(get(), &found));
        return portalloc::lease(portalloc::lease::handed{found});
    }

    /** Removes the environment, held or kept, and throws if that fails. Leaves it alone if this is attached to another's, or
     * if it is that of a worktree. */
    void close() {
        if (!stays_ && !is_attached()) {
            detail::check(portalloc_environment_cleanup(get()));
        }
    }

    const portalloc_environment *get() const noexcept { return handle_.get(); }

private:
    using maker = portalloc_result (*)(const portalloc_environment_options *, portalloc_environment **);

    using ender = portalloc_result (*)(const portalloc_environment *, const portalloc_stop_options *, char **);
    struct stays {};

    explicit environment(portalloc_environment *made) : handle_(made) {
        read(portalloc_environment_ports, static_cast<const portalloc_environment *>(made));
    }

    environment(portalloc_environment *made, stays) : environment(made) { stays_ = true; }

    std::string ended(const stop_options &wanted, ender work) const {
        portalloc_stop_options options = portalloc_stop_options_default();
        options.ports = detail::start(wanted.ports);
        options.ports_count = detail::size(wanted.ports);
        options.timeout_ms = wanted.timeout ? detail::given(wanted.timeout->count()) : 0;
        options.cancel = detail::handle(wanted.cancel);
        options.dry_run = wanted.dry_run;
        char *json = nullptr;
        detail::check(work(get(), &options, &json));
        return *detail::taken(json);
    }

    static portalloc_environment *made(const environment_options &wanted, maker make) {
        std::vector<const char *> names;
        for (const std::string &name : wanted.names) {
            names.push_back(name.c_str());
        }
        portalloc_environment_options options = portalloc_environment_options_default();
        options.count = wanted.count ? detail::given(*wanted.count) : 0;
        options.names = names.data();
        options.names_count = names.size();
        options.exact = detail::start(wanted.exact);
        options.exact_count = detail::size(wanted.exact);
        options.offsets = detail::start(wanted.offsets);
        options.offsets_count = detail::size(wanted.offsets);
        options.pool = detail::text(wanted.pool);
        options.exclude = detail::text(wanted.exclude);
        options.instance_id = detail::text(wanted.instance_id);
        options.worktree = detail::text(wanted.worktree);
        options.env_file = detail::text(wanted.env_file);
        options.place = detail::text(wanted.place);
        options.env_file_place = static_cast<std::uint32_t>(wanted.env_file_place);
        options.ttl_ms = wanted.ttl ? detail::given(wanted.ttl->count()) : 0;
        options.owner_pid = wanted.owner_pid ? detail::given(*wanted.owner_pid) : 0;
        options.wait_ms = wanted.wait.count();
        options.cancel = detail::handle(wanted.cancel);
        options.guard = detail::given(wanted.guard);
        options.sticky = detail::given(wanted.sticky);
        options.scattered = wanted.scattered;
        options.kept = wanted.kept;
        options.prefer = wanted.prefer.data();
        options.prefer_count = wanted.prefer.size();
        portalloc_environment *made = nullptr;
        detail::check(make(&options, &made));
        return made;
    }

    detail::owner<portalloc_environment, portalloc_environment_free> handle_;
    bool stays_ = false;
};

/** As portalloc_port_options. */
struct port_options {
    std::optional<std::string> pool;
    std::optional<std::string> exclude;
};

namespace detail {

inline port_type port_at(const std::string &place, const port_options &wanted) {
    portalloc_port_options options = portalloc_port_options_default();
    options.pool = text(wanted.pool);
    options.exclude = text(wanted.exclude);
    port_type port = 0;
    check(portalloc_port_at(place.c_str(), &options, &port));
    return port;
}

}  // namespace detail

/**
 * Leases one port until this process ends or calls give_back. Use it instead of binding port 0 and closing the socket. If ports
 * run out, the error names the places in the program that have leased the most.
 */
#if defined(__cpp_lib_source_location)
inline port_type port(const port_options &wanted = {},
                      const std::source_location &place = std::source_location::current()) {
    return detail::port_at(place.file_name() + (":" + std::to_string(place.line())), wanted);
}
#else
inline port_type port(const port_options &wanted = {}, const char *file = __builtin_FILE(),
                      unsigned line = __builtin_LINE()) {
    return detail::port_at(file + (":" + std::to_string(line)), wanted);
}
#endif

/** Gives back a port of port(); returns false if it is not one. Close your own sockets first. */
inline bool give_back(std::int64_t port) noexcept { return portalloc_give_back(port); }

/** Receives a warning: its code, such as "pool", and what happened and what to do. */
using warning_handler = std::function<void(const std::string &code, const std::string &message)>;

/**
 * Sets the handler for warnings, which receives each one once per process; an empty function removes it. There is one handler
 * for the whole process, also if portalloc_set_warning_handler has set it. Any thread may call it, several at once, and it must
 * not throw. It is never destroyed, because another thread may be about to call it.
 */
inline void set_warning_handler(warning_handler handler) {
    if (!handler) {
        portalloc_set_warning_handler(nullptr, nullptr);
        return;
    }
    portalloc_set_warning_handler(
        [](const char *code, const char *message, void *data) noexcept {
            (*static_cast<const warning_handler *>(data))(code, message);
        },
        new warning_handler(std::move(handler)));
}

/** Whether a lease of this port would succeed now. */
inline bool is_free(std::int64_t port) {
    bool free = false;
    detail::check(portalloc_is_free(port, &free));
    return free;
}

/** Waits until a server accepts connections on each of the ports; throws an error with the code "timeout" if none does. */
inline void wait_until_open(const std::vector<port_type> &ports, milliseconds wait, const cancel *cancel = nullptr) {
    detail::check(portalloc_wait_until_open(ports.data(), ports.size(), wait.count(), detail::handle(cancel)));
}

/** As wait_until_open, until each server answers a GET, too, if `wanted` says so. */
inline void wait_until_ready(const std::vector<port_type> &ports, milliseconds wait, const ready_options &wanted,
                             const cancel *cancel = nullptr) {
    const portalloc_ready_options options = wanted.raw();
    detail::check(portalloc_wait_until_ready(ports.data(), ports.size(), &options, wait.count(), detail::handle(cancel)));
}

/** Waits until no socket is bound to any of the ports. */
inline void wait_until_free(const std::vector<port_type> &ports, milliseconds wait, const cancel *cancel = nullptr) {
    detail::check(portalloc_wait_until_free(ports.data(), ports.size(), wait.count(), detail::handle(cancel)));
}

/** Removes the environment with this ID; returns false if there was none. */
inline bool cleanup(const std::string &id) {
    bool removed = false;
    detail::check(portalloc_cleanup(id.c_str(), &removed));
    return removed;
}

/** Removes stale environments and what crashes have left, and returns how many environments. */
inline std::size_t cleanup_stale() {
    std::size_t removed = 0;
    detail::check(portalloc_cleanup_stale(&removed));
    return removed;
}

/** Whether every check of the environment with this ID passes. `json`, if it is not NULL, tells what each found. */
inline bool validate(const std::string &id, std::string *json = nullptr) {
    bool valid = false;
    char *found = nullptr;
    detail::check(portalloc_validate(id.c_str(), &valid, json == nullptr ? nullptr : &found));
    if (json != nullptr) {
        *json = detail::taken(found).value_or("");
    }
    return valid;
}

/** One sentence: who is on this port. `json`, if it is not NULL, becomes the whole report. */
inline std::string who(std::int64_t port, std::string *json = nullptr) {
    char *message = nullptr;
    char *report = nullptr;
    detail::check(portalloc_who(port, &message, json == nullptr ? nullptr : &report));
    if (json != nullptr) {
        *json = detail::taken(report).value_or("");
    }
    return detail::taken(message).value_or("");
}

/** All environments and leases, as JSON. */
inline std::string list() {
    char *json = nullptr;
    detail::check(portalloc_list(&json));
    return detail::taken(json).value_or("");
}

/** Which registry and pool calls from the current directory use, as JSON. */
inline std::string settings(const std::optional<std::string> &pool = std::nullopt,
                            const std::optional<std::string> &exclude = std::nullopt) {
    char *json = nullptr;
    detail::check(portalloc_settings(detail::text(pool), detail::text(exclude), &json));
    return detail::taken(json).value_or("");
}

/**
 * Whether portalloc keeps its promises on this machine, as JSON. If `count` is not 0, also whether a lease of so many consecutive
 * ports would be granted at this moment.
 */
inline std::string doctor(std::int64_t count = 0, const std::optional<std::string> &pool = std::nullopt,
                          const std::optional<std::string> &exclude = std::nullopt) {
    char *json = nullptr;
    detail::check(portalloc_doctor(count, detail::text(pool), detail::text(exclude), nullptr, &json));
    return detail::taken(json).value_or("");
}

/**
 * Servers that still listen on ports that are about to be given back, a line for each port; nothing if there are none. `own`:
 * whether sockets of this process count. By default, servers get 250 ms to end, as in every language.
 */
inline std::optional<std::string> leaks(const std::vector<port_type> &ports, bool own = true,
                                        milliseconds grace = milliseconds(-1)) {
    char *message = nullptr;
    detail::check(portalloc_leaks(ports.data(), ports.size(), own, grace.count(), &message));
    return detail::taken(message);
}

/** Who is on the ports that an error message says are in use, a line for each port; nothing if it says nothing of the kind. */
inline std::optional<std::string> explain_conflict(const std::string &text) {
    char *message = nullptr;
    detail::check(portalloc_explain_conflict(text.c_str(), &message));
    return detail::taken(message);
}

/** Throws an error with the code "invalid_id" if the text is not an isolation ID. */
inline void check_id(const std::string &id) {
    detail::check(portalloc_check_id(id.find('\0') == std::string::npos ? id.c_str() : ""));
}

/** Variables, one per line, in the syntax "shell", "fish", "powershell", "dotenv" or "github". */
inline std::string render(const std::vector<std::pair<std::string, std::string>> &variables,
                          const std::string &syntax = "shell") {
    std::vector<const char *> names;
    std::vector<const char *> values;
    for (const auto &[name, value] : variables) {
        names.push_back(name.c_str());
        values.push_back(value.c_str());
    }
    char *made = nullptr;
    detail::check(portalloc_render(names.data(), values.data(), variables.size(), syntax.c_str(), &made));
    return detail::taken(made).value_or("");
}

/** The library's version, such as "0.1.0". */
inline std::string version() { return portalloc_version(); }

}  // namespace portalloc

#endif /* PORTALLOC_HPP */
