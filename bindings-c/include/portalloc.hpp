/*
 * portalloc for C++17 and newer: portalloc.h with owners, exceptions and containers, and nothing that it does not have.
 *
 * What a portalloc.h call fails with is thrown as portalloc::error. Owners can be moved and not copied; one that was moved
 * from holds nothing, and calls on it throw. Destructors never throw. Threads and fork: as portalloc.h says.
 */
#ifndef PORTALLOC_HPP
#define PORTALLOC_HPP

#include "portalloc.h"

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
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

/** A time of any length: std::chrono::milliseconds::max() is as long as it takes. */
using milliseconds = std::chrono::milliseconds;
inline constexpr milliseconds forever = milliseconds::max();

namespace detail {

inline void check(portalloc_result result) {
    if (result != PORTALLOC_RESULT_OK) {
        throw error(result, portalloc_last_error_message(), portalloc_last_error_remedy());
    }
}

inline std::uint64_t count(milliseconds time) {
    if (time == forever) {
        return std::numeric_limits<std::uint64_t>::max();
    }
    return time.count() < 0 ? 0 : static_cast<std::uint64_t>(time.count());
}

inline const char *text(const std::optional<std::string> &text) { return text ? text->c_str() : nullptr; }

inline std::string text(const char *text) { return text == nullptr ? std::string() : std::string(text); }

inline std::optional<std::string> maybe(const char *text) {
    return text == nullptr ? std::nullopt : std::optional<std::string>(text);
}

/** Empty is given, too, so the start of an array must never be NULL. */
inline const port_type *start(const std::optional<std::vector<port_type>> &ports) {
    static const port_type nothing = 0;
    return !ports ? nullptr : ports->empty() ? &nothing : ports->data();
}

inline std::size_t size(const std::optional<std::vector<port_type>> &ports) { return ports ? ports->size() : 0; }

template <typename Handle, void (*Free)(Handle *)>
struct freed {
    void operator()(Handle *handle) const noexcept { Free(handle); }
};

template <typename Handle, void (*Free)(Handle *)>
using owner = std::unique_ptr<Handle, freed<Handle, Free>>;

/** Ports that an owner knows as long as it lives. */
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

/** Ends waits from another thread. */
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

/** A file descriptor of yours, closed by the destructor. */
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

    /** Gives the number away: closing it is the caller's. */
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
    std::size_t count = 0;
    std::optional<std::vector<port_type>> ports;
    std::optional<std::vector<port_type>> offsets;
    std::optional<std::string> pool;
    std::optional<std::string> exclude;
    std::optional<std::string> sticky;
    milliseconds timeout{0};
    const portalloc::cancel *cancel = nullptr;
    bool scattered = false;
    bool guard = false;
};

/** As portalloc_socket_options. */
struct socket_options {
    std::optional<std::string> host;
    portalloc_socket_type type = PORTALLOC_SOCKET_TYPE_TCP;
    bool bound_only = false;
};

class environment;

/** Ports that are nobody else's until this is destroyed, or the process is gone. */
class lease : public detail::port_list {
public:
    /** One port. */
    lease() : lease(lease_options{}) {}

    /** So many consecutive ones, at least one. */
    explicit lease(std::size_t count) : lease(run(count)) {}

    explicit lease(const lease_options &wanted) {
        portalloc_lease_options options = portalloc_lease_options_default();
        options.count = wanted.count;
        options.ports = detail::start(wanted.ports);
        options.ports_count = detail::size(wanted.ports);
        options.offsets = detail::start(wanted.offsets);
        options.offsets_count = detail::size(wanted.offsets);
        options.pool = detail::text(wanted.pool);
        options.exclude = detail::text(wanted.exclude);
        options.sticky = detail::text(wanted.sticky);
        options.timeout_ms = detail::count(wanted.timeout);
        options.cancel = wanted.cancel == nullptr ? nullptr : wanted.cancel->get();
        options.scattered = wanted.scattered;
        options.guard = wanted.guard;
        portalloc_lease *made = nullptr;
        detail::check(portalloc_lease_new(&options, &made));
        take(made);
    }

    /** The first, or the only one. */
    port_type port() const { return ports_.empty() ? port_type{0} : ports_.front(); }

    /** Gives the ports back, and goes on knowing them. Close your own sockets first. */
    void release() { detail::check(portalloc_lease_release(handle_.get())); }
    bool is_released() const noexcept { return portalloc_lease_is_released(handle_.get()); }

    /** Whether the ports are still this lease's; false also if the program has closed or replaced its descriptor. */
    bool is_held() const noexcept { return portalloc_lease_is_held(handle_.get()); }

    void guard() { detail::check(portalloc_lease_guard(handle_.get())); }
    void open_guard() { detail::check(portalloc_lease_open_guard(handle_.get())); }
    void drop_guard() { detail::check(portalloc_lease_drop_guard(handle_.get())); }
    portalloc_guard_state guard_state() const noexcept { return portalloc_lease_guard_state(handle_.get()); }

    /** A socket bound to the port at this index, for the server itself. */
    descriptor socket(std::size_t index = 0, const socket_options &wanted = {}) const {
        portalloc_socket_options options = portalloc_socket_options_default();
        options.host = detail::text(wanted.host);
        options.type = static_cast<std::uint32_t>(wanted.type);
        options.bound_only = wanted.bound_only;
        std::int32_t number = -1;
        detail::check(portalloc_lease_socket(handle_.get(), index, &options, &number));
        return descriptor(number);
    }

    /** What a process that is started while it is open inherits the lease by. */
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
        if (count == 0) {
            throw error(PORTALLOC_RESULT_INVALID_ARGUMENT, "0 ports were asked for", "ask for 1 or more");
        }
        lease_options options;
        options.count = count;
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
    std::size_t count = 0;
    std::vector<std::string> names;
    std::optional<std::vector<port_type>> ports;
    std::optional<std::vector<port_type>> offsets;
    std::optional<std::string> pool;
    std::optional<std::string> exclude;
    std::optional<std::string> instance_id;
    std::optional<std::string> worktree;
    std::optional<std::string> env_file;
    portalloc_env_file_place env_file_place = PORTALLOC_ENV_FILE_PLACE_USUAL;
    milliseconds ttl{0};
    std::uint32_t owner_pid = 0;
    milliseconds timeout{0};
    const portalloc::cancel *cancel = nullptr;
    bool scattered = false;
    bool guard = false;
    bool sticky = false;
    bool kept = false;
};

/** Ports with an ID, a temp dir, an env file and variables around them. A held one ends with its owner. */
class environment : public detail::port_list {
public:
    /** As the project file says, else five ports. */
    environment() : environment(environment_options{}) {}

    explicit environment(const environment_options &wanted) : environment(made(wanted, portalloc_environment_new)) {}

    /** That of the variable ISOLATION_ID, if that lives, else a new one. */
    static environment current(const environment_options &wanted = {}) {
        return environment(made(wanted, portalloc_environment_current));
    }

    /** The live one with this ID; without, with that of the variable ISOLATION_ID. */
    static environment attach(const std::optional<std::string> &id = std::nullopt) {
        portalloc_environment *found = nullptr;
        detail::check(portalloc_environment_attach(detail::text(id), &found));
        return environment(found);
    }

    std::string id() const { return detail::text(portalloc_environment_id(get())); }
    std::string temp_dir() const { return detail::text(portalloc_environment_temp_dir(get())); }
    std::optional<std::string> env_file() const { return detail::maybe(portalloc_environment_env_file(get())); }
    std::string worktree() const { return detail::text(portalloc_environment_worktree(get())); }
    std::string instance_id() const { return detail::text(portalloc_environment_instance_id(get())); }
    bool is_kept() const noexcept { return portalloc_environment_is_kept(get()); }
    bool is_attached() const noexcept { return portalloc_environment_is_attached(get()); }

    /** The port of this name; throws if there is none. */
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

    /** Names and values, for a process to be started. */
    std::vector<std::pair<std::string, std::string>> variables() const {
        std::vector<std::pair<std::string, std::string>> variables(portalloc_environment_variable_count(get()));
        for (std::size_t index = 0; index < variables.size(); index++) {
            variables[index] = {detail::text(portalloc_environment_variable_name(get(), index)),
                                detail::text(portalloc_environment_variable_value(get(), index))};
        }
        return variables;
    }

    /** For guards, hand-off and passing on. */
    portalloc::lease lease() const {
        portalloc_lease *found = nullptr;
        detail::check(portalloc_environment_lease(get(), &found));
        return portalloc::lease(portalloc::lease::handed{found});
    }

    /** Ends it now, and says if that fails. */
    void cleanup() { detail::check(portalloc_environment_cleanup(get())); }

    const portalloc_environment *get() const noexcept { return handle_.get(); }

private:
    using maker = portalloc_result (*)(const portalloc_environment_options *, portalloc_environment **);

    explicit environment(portalloc_environment *made) : handle_(made) {
        read(portalloc_environment_ports, static_cast<const portalloc_environment *>(made));
    }

    static portalloc_environment *made(const environment_options &wanted, maker make) {
        std::vector<const char *> names;
        for (const std::string &name : wanted.names) {
            names.push_back(name.c_str());
        }
        portalloc_environment_options options = portalloc_environment_options_default();
        options.count = wanted.count;
        options.names = names.data();
        options.names_count = names.size();
        options.ports = detail::start(wanted.ports);
        options.ports_count = detail::size(wanted.ports);
        options.offsets = detail::start(wanted.offsets);
        options.offsets_count = detail::size(wanted.offsets);
        options.pool = detail::text(wanted.pool);
        options.exclude = detail::text(wanted.exclude);
        options.instance_id = detail::text(wanted.instance_id);
        options.worktree = detail::text(wanted.worktree);
        options.env_file = detail::text(wanted.env_file);
        options.ttl_ms = detail::count(wanted.ttl);
        options.owner_pid = wanted.owner_pid;
        options.env_file_place = static_cast<std::uint32_t>(wanted.env_file_place);
        options.timeout_ms = detail::count(wanted.timeout);
        options.cancel = wanted.cancel == nullptr ? nullptr : wanted.cancel->get();
        options.scattered = wanted.scattered;
        options.guard = wanted.guard;
        options.sticky = wanted.sticky;
        options.kept = wanted.kept;
        portalloc_environment *made = nullptr;
        detail::check(make(&options, &made));
        return made;
    }

    detail::owner<portalloc_environment, portalloc_environment_free> handle_;
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
 * One port that is nobody else's until this process ends, or until give_back. In place of binding port 0 and closing the
 * socket. Where ports run out, the error names the places of the program that have taken the most.
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

/** Gives back a port of port(); false, and nothing else, if it is not one of those. Close your own sockets first. */
inline bool give_back(port_type port) noexcept { return portalloc_give_back(port); }

/** What is called with a warning: its code, such as "pool", and what happened and what to do. */
using warning_handler = std::function<void(const std::string &code, const std::string &message)>;

/**
 * Has a handler called with every warning, each once in a process; an empty one switches warnings off. It is that of the
 * whole process, portalloc_set_warning_handler included, and is called by any thread, several at once. It must not throw. It
 * is kept as long as the process lives, because another thread may be about to call it.
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

/** Whether a lease of this port could be had at this moment. */
inline bool is_free(port_type port) {
    bool free = false;
    detail::check(portalloc_is_free(port, &free));
    return free;
}

/** Until a server accepts connections on each of the ports; throws with the code "timeout". */
inline void wait_for(const std::vector<port_type> &ports, milliseconds timeout, const cancel *cancel = nullptr) {
    detail::check(portalloc_wait_for(ports.data(), ports.size(), detail::count(timeout),
                                     cancel == nullptr ? nullptr : cancel->get()));
}

/** Until nothing is bound to any of the ports. */
inline void wait_free(const std::vector<port_type> &ports, milliseconds timeout, const cancel *cancel = nullptr) {
    detail::check(portalloc_wait_free(ports.data(), ports.size(), detail::count(timeout),
                                      cancel == nullptr ? nullptr : cancel->get()));
}

/** Removes the environment with this ID; false if there was none. */
inline bool cleanup(const std::string &id) {
    bool removed = false;
    detail::check(portalloc_cleanup(id.c_str(), &removed));
    return removed;
}

/** Removes what is over, and says how many environments that were. */
inline std::size_t cleanup_stale() {
    std::size_t removed = 0;
    detail::check(portalloc_cleanup_stale(&removed));
    return removed;
}

/** What is wrong with the environment with this ID; nothing if all is well. */
inline std::optional<std::string> validate(const std::string &id) {
    bool valid = false;
    detail::check(portalloc_validate(id.c_str(), &valid));
    return valid ? std::nullopt : std::optional<std::string>(portalloc_last_error_message());
}

/** As portalloc_holder. */
struct holder {
    std::uint32_t pid;
    bool leased;
    bool listening;
    std::optional<std::string> name;
    std::optional<std::string> command;
    std::optional<std::string> user;
    std::uint64_t started_at_unix_ms;
};

struct report {
    std::string message;
    bool in_use;
    bool leased;
    std::vector<holder> holders;
};

/** Who is on this port. */
inline report who(port_type port) {
    portalloc_report *made = nullptr;
    detail::check(portalloc_who(port, &made));
    const detail::owner<portalloc_report, portalloc_report_free> owned(made);
    report told{detail::text(portalloc_report_message(made)), portalloc_report_in_use(made),
                portalloc_report_leased(made), {}};
    for (std::size_t index = 0; index < portalloc_report_holder_count(made); index++) {
        portalloc_holder seen;
        detail::check(portalloc_report_holder(made, index, &seen));
        told.holders.push_back(holder{seen.pid, seen.leased, seen.listening, detail::maybe(seen.name),
                                      detail::maybe(seen.command), detail::maybe(seen.user),
                                      seen.started_at_unix_ms});
    }
    return told;
}

/** As portalloc_environment_info. */
struct environment_info {
    std::string id;
    std::string status;
    std::optional<std::string> reason;
    std::vector<port_type> ports;
    std::uint32_t holder_pid;
    std::uint32_t user_id;
    std::uint64_t created_at_unix_ms;
    std::uint64_t expires_at_unix_ms;
    std::optional<std::string> worktree;
    std::optional<std::string> temp_dir;
    std::optional<std::string> env_file;
    bool is_kept;
};

/** As portalloc_lease_info. */
struct lease_info {
    std::vector<port_type> ports;
    std::uint32_t holder_pid;
    std::uint32_t user_id;
    std::optional<std::string> holder_name;
    std::uint64_t since_unix_ms;
};

struct listing {
    std::vector<environment_info> environments;
    std::vector<lease_info> leases;
};

/** All environments, oldest first, and all leases, by port. */
inline listing list() {
    portalloc_listing *made = nullptr;
    detail::check(portalloc_listing_new(&made));
    const detail::owner<portalloc_listing, portalloc_listing_free> owned(made);
    listing told;
    for (std::size_t index = 0; index < portalloc_listing_environment_count(made); index++) {
        portalloc_environment_info seen;
        detail::check(portalloc_listing_environment(made, index, &seen));
        told.environments.push_back(environment_info{
            detail::text(seen.id), detail::text(seen.status), detail::maybe(seen.reason),
            std::vector<port_type>(seen.ports, seen.ports + seen.ports_count), seen.holder_pid, seen.user_id,
            seen.created_at_unix_ms, seen.expires_at_unix_ms, detail::maybe(seen.worktree),
            detail::maybe(seen.temp_dir), detail::maybe(seen.env_file), seen.is_kept});
    }
    for (std::size_t index = 0; index < portalloc_listing_lease_count(made); index++) {
        portalloc_lease_info seen;
        detail::check(portalloc_listing_lease(made, index, &seen));
        told.leases.push_back(lease_info{std::vector<port_type>(seen.ports, seen.ports + seen.ports_count),
                                         seen.holder_pid, seen.user_id, detail::maybe(seen.holder_name),
                                         seen.since_unix_ms});
    }
    return told;
}

/** What calls from the current folder go by. */
struct settings {
    std::string directory;
    std::string pool;
    std::string ports;
    std::size_t port_count;
};

inline settings current_settings(const std::optional<std::string> &pool = std::nullopt,
                                 const std::optional<std::string> &exclude = std::nullopt) {
    portalloc_settings *made = nullptr;
    detail::check(portalloc_settings_new(detail::text(pool), detail::text(exclude), &made));
    const detail::owner<portalloc_settings, portalloc_settings_free> owned(made);
    return settings{detail::text(portalloc_settings_directory(made)), detail::text(portalloc_settings_pool(made)),
                    detail::text(portalloc_settings_ports(made)), portalloc_settings_port_count(made)};
}

/** Throws with the code "invalid_id" if the text is no isolation ID. */
inline void check_id(const std::string &id) {
    detail::check(portalloc_check_id(id.find('\0') == std::string::npos ? id.c_str() : ""));
}

/** Variables, a line each, as "shell", "fish", "powershell", "dotenv" or "github" wants them written. */
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
    const detail::owner<char, portalloc_text_free> owned(made);
    return std::string(made);
}

/** The library's version, such as "0.1.0". */
inline std::string version() { return portalloc_version(); }

}  // namespace portalloc

#endif /* PORTALLOC_HPP */
