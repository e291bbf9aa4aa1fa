// The same with owners: everything is given back at the end of its block, also by an exception.
#include <portalloc.hpp>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <iostream>
#include <string>
#include <thread>

int main() {
    try {
        portalloc::lease lease(2);  // two consecutive ports
        const portalloc::descriptor server = lease.socket(0);
        std::thread serving([&] {
            const portalloc::descriptor connection(accept(server.get(), nullptr, nullptr));
            if (send(connection.get(), "hello", 5, 0) != 5) {
                std::cerr << "not sent\n";
            }
        });

        const portalloc::descriptor client(socket(AF_INET, SOCK_STREAM, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(lease.port());
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const bool connected = connect(client.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) == 0;
        std::string answer(5, '\0');
        const bool read = connected && recv(client.get(), answer.data(), answer.size(), MSG_WAITALL) == 5;
        if (!connected) {
            shutdown(server.get(), SHUT_RDWR);
        }
        serving.join();
        std::cout << answer << " on port " << lease.port() << ", and " << lease[1] << " is ours, too\n";
        return read ? 0 : 1;
    } catch (const portalloc::error &error) {
        std::cerr << error.code() << ": " << error.what() << '\n';
        return 1;
    }
}
