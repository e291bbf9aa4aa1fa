// GoogleTest: a fixture whose environment lives as long as one test.
#include <portalloc.hpp>

#include <gtest/gtest.h>

class Services : public testing::Test {
protected:
    static portalloc::environment_options wanted() {
        portalloc::environment_options options;
        options.names = {"web", "db"};
        return options;
    }

    portalloc::environment environment{wanted()};
    portalloc::port_type web = environment.port("web");
};

TEST_F(Services, HavePortsAndATempDirOfTheirOwn) {
    EXPECT_FALSE(portalloc::is_free(web));
    EXPECT_EQ(environment.port("db"), web + 1);
    EXPECT_FALSE(environment.temp_dir().empty());
}

TEST_F(Services, CanBeStarted) {
    // Your server here: on `web`, with its files in environment.temp_dir().
    const portalloc::lease lease = environment.lease();
    const portalloc::descriptor server = lease.socket(0);
    portalloc::wait_until_open({web}, std::chrono::seconds(30));
}

TEST(Ports, OfOneTestOnly) {
    portalloc::lease_options taken;
    const portalloc::lease lease;
    taken.exact = lease.ports();
    try {
        const portalloc::lease other(taken);
        FAIL() << "the port was leased twice";
    } catch (const portalloc::error &error) {
        EXPECT_STREQ(error.code(), "port_in_use");
    }
}
