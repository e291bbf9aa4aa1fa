// What portalloc.hpp adds to portalloc.h: owners, exceptions, containers. As C++17 and as C++20.
#include <portalloc.hpp>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>
#include <type_traits>

#include "check.h"

template <typename Owner>
constexpr bool moves_only = !std::is_copy_constructible_v<Owner> && !std::is_copy_assignable_v<Owner> &&
                            std::is_nothrow_move_constructible_v<Owner> && std::is_nothrow_move_assignable_v<Owner>;

static_assert(moves_only<portalloc::lease> && moves_only<portalloc::environment>);
static_assert(moves_only<portalloc::descriptor> && moves_only<portalloc::cancel>);
static_assert(moves_only<portalloc::hold>);
static_assert(std::is_base_of_v<std::runtime_error, portalloc::error>);

// What a call throws.
template <typename Call>
static portalloc::error thrown(Call call) {
    try {
        call();
    } catch (const portalloc::error &error) {
        return error;
    }
    std::cerr << "nothing was thrown\n";
    std::_Exit(1);
}

static void leases() {
    portalloc::lease lease(3);
    CHECK(lease.size() == 3 && !lease.empty() && lease.port() == lease[0] && lease.data()[1] == lease[1]);
    CHECK(std::is_sorted(lease.begin(), lease.end()));
    std::size_t seen = 0;
    for (const portalloc::port_type port : lease) {
        CHECK(!portalloc::is_free(port));
        seen++;
    }
    CHECK(seen == 3 && lease.ports().size() == 3);
#if __cplusplus >= 202002L
    const std::span<const portalloc::port_type> span = lease.span();
    CHECK(span.size() == 3 && span.data() == lease.data());
#endif
    const portalloc::port_type port = lease.port();

    portalloc::lease moved = std::move(lease);
    CHECK(moved.port() == port && !portalloc::is_free(port));
    CHECK(lease.is_released() && !lease.is_held() && lease.get() == nullptr && moved.is_held());
    CHECK(thrown([&] { lease.close(); }).result() == PORTALLOC_RESULT_INVALID_ARGUMENT);
    const portalloc::error error = thrown([&] {
        portalloc::lease_options options;
        options.exact = {port};
        portalloc::lease again(options);
    });
    CHECK(std::strcmp(error.code(), "port_in_use") == 0 && error.result() == PORTALLOC_RESULT_PORT_IN_USE);
    CHECK(std::string(error.what()).find(std::to_string(port)) != std::string::npos && !error.remedy().empty());
    {
        portalloc::lease other;
        CHECK(other.size() == 1);
        const portalloc::port_type gone = moved.port();
        moved = std::move(other);
        CHECK(portalloc::is_free(gone) && moved.size() == 1 && moved.port() != gone);
    }
    moved.close();
    CHECK(moved.is_released() && !moved.is_held() && moved.size() == 1 && portalloc::is_free(moved.port()));

    portalloc::lease_options options;
    options.offsets = {0, 2};
    portalloc::lease spread(options);
    CHECK(spread[1] == spread[0] + 2);
    options.offsets = std::vector<std::int64_t>();
    CHECK(thrown([&] { portalloc::lease none(options); }).result() == PORTALLOC_RESULT_INVALID_ARGUMENT);
    CHECK(thrown([&] { portalloc::lease none(0); }).result() == PORTALLOC_RESULT_INVALID_ARGUMENT);
}

static void ports() {
    const portalloc::port_type port = portalloc::port(), other = portalloc::port();
    CHECK(port != other && !portalloc::is_free(port) && !portalloc::is_free(other));
    CHECK(portalloc::give_back(port) && !portalloc::give_back(port) && portalloc::is_free(port));
    portalloc::port_options options;
    options.pool = std::to_string(port);
    CHECK(portalloc::port(options) == port);
    const portalloc::error error = thrown([&] { portalloc::port(options); });
    const std::string place = "1 at " + std::string(__FILE__) + ":" + std::to_string(__LINE__ - 2);
    CHECK(error.result() == PORTALLOC_RESULT_POOL_EXHAUSTED && std::strstr(error.what(), place.c_str()) != nullptr);
    CHECK(portalloc::give_back(port) && portalloc::give_back(other));
}

static void warnings() {
    std::ifstream range("/proc/sys/net/ipv4/ip_local_port_range");
    unsigned ephemeral = 0;
    CHECK(range >> ephemeral);
    // Part of it is the kernel's.
    const std::string pool = std::to_string(ephemeral - 10) + "-" + std::to_string(ephemeral + 10);
    std::vector<std::string> told;
    portalloc::set_warning_handler(
        [&](const std::string &code, const std::string &message) { told.push_back(code + ": " + message); });
    portalloc::settings(pool);
    portalloc::settings(pool);
    CHECK(told.size() == 1 && told[0].find("pool: ") == 0 && told[0].find(pool) != std::string::npos);
    portalloc::set_warning_handler(nullptr);
    portalloc::settings(std::to_string(ephemeral - 11) + "-" + std::to_string(ephemeral + 10));
    CHECK(told.size() == 1);
}

static void sockets() {
    portalloc::lease_options options;
    options.guard = true;
    portalloc::lease lease(options);
    CHECK(lease.guard_state() == PORTALLOC_GUARD_EXCLUSIVE);
    {
        portalloc::descriptor socket = lease.socket();
        portalloc::descriptor moved = std::move(socket);
        CHECK(socket.get() == -1 && moved.get() >= 0);
        portalloc::wait_until_open(lease.ports(), portalloc::milliseconds(0));
    }
    lease.drop_guard();
    portalloc::wait_until_free(lease.ports(), portalloc::forever);
    lease.guard();
    lease.share_guard();
    CHECK(lease.guard_state() == PORTALLOC_GUARD_SHARED);
    const portalloc::error error = thrown([&] { portalloc::wait_until_open(lease.ports(), std::chrono::seconds(0)); });
    {
        const portalloc::lease served;
        const portalloc::descriptor server = served.socket();
        CHECK(!portalloc::leaks(served.ports(), false) && portalloc::leaks(served.ports(), true));
        const std::string text = "Address already in use: 127.0.0.1:" + std::to_string(served.port());
        CHECK(portalloc::explain_conflict(text) && !portalloc::explain_conflict("all is well"));
    }
    CHECK(std::strcmp(error.code(), "timeout") == 0);

    portalloc::socket_options wanted;
    wanted.host = "::1";
    wanted.bound_only = true;
    portalloc::lease other;
    const int number = other.inheritable().release();
    CHECK(number >= 0 && close(number) == 0);
    CHECK(other.socket(0, wanted).get() >= 0);
}

static void environments() {
    portalloc::environment_options options;
    options.names = {"web", "my-db"};
    portalloc::environment environment(options);
    CHECK(environment.size() == 2 && environment.port("my-db") == environment[1]);
    CHECK(environment.name(0) == "web" && !environment.name(2) && !environment.env_file());
    CHECK(environment.instance_id().empty() && !environment.worktree().empty() && !environment.is_kept());
    CHECK(std::strcmp(thrown([&] { environment.port("none"); }).code(), "invalid_argument") == 0);
    const auto variables = environment.variables();
    CHECK(std::find(variables.begin(), variables.end(),
                    std::pair<std::string, std::string>("WEB_PORT", std::to_string(environment[0]))) != variables.end());
    CHECK(portalloc::render({{"A", "b c"}}) == "export A='b c'\n");
    portalloc::check_id(environment.id());
    CHECK(thrown([] { portalloc::check_id("x"); }).result() == PORTALLOC_RESULT_INVALID_ID);
    CHECK(thrown([] { portalloc::check_id(std::string("52c48279ec80\0x", 14)); }).result() ==
          PORTALLOC_RESULT_INVALID_ID);

    CHECK(portalloc::environment::attach(environment.id()).is_attached() && !environment.is_attached());
    CHECK(thrown([] { (void)portalloc::environment::attach(); }).result() == PORTALLOC_RESULT_NOT_FOUND);
    portalloc::lease lease = environment.lease();
    CHECK(lease.ports() == environment.ports() && !lease.is_released());
    CHECK(portalloc::list().find(environment.id()) != std::string::npos);
    std::string json;
    CHECK(portalloc::who(environment[0], &json).find("port " + std::to_string(environment[0])) == 0);
    CHECK(json.find("\"in_use\":false") != std::string::npos);
    CHECK(portalloc::validate(environment.id(), &json) && json.find(environment.id()) != std::string::npos);
    portalloc::environment::attach(environment.id()).close();  // which is another's to end
    CHECK(!lease.is_released() && portalloc::validate(environment.id()));
    environment.close();
    CHECK(lease.is_released() && portalloc::list().find("\"environments\":[]") != std::string::npos);

    options.kept = true;
    options.ttl = std::chrono::hours(1);
    const std::string kept = portalloc::environment(options).id();
    CHECK(portalloc::environment::attach(kept).is_kept());
    CHECK(portalloc::cleanup(kept) && !portalloc::cleanup(kept) && portalloc::cleanup_stale() == 0);
    CHECK(portalloc::environment::current().size() == 5);
}

static bool has(const std::string &text, const std::string &part) { return text.find(part) != std::string::npos; }

static std::string read(const std::string &path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

// Its servers: worktree.c.
static void worktrees() {
    portalloc::environment_options options;
    options.names = {"web"};
    CHECK(!portalloc::environment::find_of_worktree(options));
    const std::vector<portalloc::port_type> free = portalloc::lease(3).ports();
    options.prefer = {free[0]};
    portalloc::environment first = portalloc::environment::of_worktree(options);
    CHECK(first.is_kept() && !first.is_attached());
    {
        // Neither the end of an owner nor close() ends it, whichever process has made it.
        portalloc::environment again = portalloc::environment::of_worktree(options);
        CHECK(again.id() == first.id() && again.ports() == first.ports());
        again.close();
        first.close();
        const portalloc::environment moved = std::move(again);
    }
    CHECK(portalloc::environment::find_of_worktree(options)->id() == first.id());
    CHECK(portalloc::environment::repair_of_worktree(options).id() == first.id());
    options.names = {"web", "db"};
    options.prefer = {free[1]};
    portalloc::environment environment = portalloc::environment::repair_of_worktree(options);
    CHECK(environment.id() != first.id() && first[0] == free[0] && environment.port("db") == free[2]);

    options.instance_id = "other";
    CHECK(!portalloc::environment::find_of_worktree(options));
    options.worktree = "/nowhere";
    CHECK(thrown([&] { (void)portalloc::environment::find_of_worktree(options); }).result() ==
          PORTALLOC_RESULT_INVALID_ARGUMENT);

    environment.write_block("owners.env");
    CHECK(has(read("owners.env"), "\nDB_PORT=" + std::to_string(environment.port("db")) + "\n"));
    CHECK(thrown([&] { environment.write_block("nowhere/owners.env"); }).result() == PORTALLOC_RESULT_INVALID_ARGUMENT);

    CHECK(thrown([&] { environment.wait_until_ours({}, portalloc::milliseconds(0)); }).result() == PORTALLOC_RESULT_TIMEOUT);
    portalloc::ready_options ready;
    ready.http = "no path";
    CHECK(thrown([&] { environment.wait_until_ours({}, portalloc::forever, ready); }).result() ==
          PORTALLOC_RESULT_INVALID_ARGUMENT);
    ready.http = "/";
    ready.status = 0;  // which is given, unlike none
    CHECK(thrown([&] { environment.wait_until_ours({}, portalloc::forever, ready); }).result() ==
          PORTALLOC_RESULT_INVALID_ARGUMENT);
    portalloc::cancel cancel;
    cancel.now();
    ready.status = 200;
    CHECK(thrown([&] { environment.wait_until_ours(environment.ports(), portalloc::forever, ready, &cancel); }).result() ==
          PORTALLOC_RESULT_TIMEOUT);

    portalloc::stop_options how;
    how.dry_run = true;
    const std::string report = environment.stop(how);
    CHECK(has(report, environment.id()) && has(report, "\"processes\":[]") && has(report, "\"removed\":false"));
    how.ports = {1};
    CHECK(thrown([&] { environment.stop(how); }).result() == PORTALLOC_RESULT_INVALID_ARGUMENT);
    how = portalloc::stop_options();
    how.timeout = portalloc::milliseconds(-1);
    CHECK(thrown([&] { environment.stop(how); }).result() == PORTALLOC_RESULT_INVALID_ARGUMENT);
    CHECK(has(environment.stop(), "\"processes\":[]"));
    {
        portalloc::hold hold = environment.hold();
        const portalloc::hold moved = std::move(hold);
        CHECK(moved.inheritable().get() >= 0);
        CHECK(thrown([&] { portalloc::cleanup(environment.id()); }).result() == PORTALLOC_RESULT_IN_USE);
        CHECK(thrown([&] { (void)hold.inheritable(); }).result() == PORTALLOC_RESULT_INVALID_ARGUMENT);
    }
    CHECK(has(environment.down(), "\"removed\":true") && access("owners.env", F_OK) != 0);
    CHECK(thrown([&] { (void)environment.hold(); }).result() == PORTALLOC_RESULT_NOT_FOUND);
}

static void waits() {
    portalloc::lease lease(2);
    portalloc::lease_options options;
    options.pool = std::to_string(lease[0]) + "-" + std::to_string(lease[1]);
    options.wait = portalloc::forever;
    portalloc::cancel cancel;
    options.cancel = &cancel;
    CHECK(portalloc::settings(options.pool).find("\"count\":2") != std::string::npos);
    CHECK(portalloc::doctor(3, options.pool).find("\"explanation\":{\"count\":3,\"granted\":false") != std::string::npos);
    std::thread thread([&] {
        CHECK(std::strcmp(thrown([&] { portalloc::lease none(options); }).code(), "timeout") == 0);
    });
    cancel.now();
    thread.join();
}

// A global one: its end comes after those of main's and the thread's variables.
static std::unique_ptr<portalloc::environment> last;

int main() {
    leases();
    ports();
    warnings();
    sockets();
    environments();
    worktrees();
    waits();
    last = std::make_unique<portalloc::environment>();
    CHECK(portalloc::version() == portalloc_version());
    std::cout << "left well\n";
}
