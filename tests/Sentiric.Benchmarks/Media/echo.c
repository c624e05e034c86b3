// A plain echo for comparison: N sockets, one thread, epoll, recvfrom and sendto. Prints its ports; ends when it is killed.
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

int main(int argc, char **argv) {
    int count = argc > 1 ? atoi(argv[1]) : 1, epoll = epoll_create1(0), size = 256 * 1024;
    for (int i = 0; i < count; i++) {
        int socket_ = socket(AF_INET, SOCK_DGRAM, 0);
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof at;
        setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        struct epoll_event event = {.events = EPOLLIN, .data.fd = socket_};
        if (bind(socket_, (struct sockaddr *)&at, length) || getsockname(socket_, (struct sockaddr *)&at, &length)
            || epoll_ctl(epoll, EPOLL_CTL_ADD, socket_, &event)) return 1;
        printf(i ? " %d" : "%d", ntohs(at.sin_port));
    }
    printf("\n");
    fflush(stdout);
    static struct epoll_event ready[256];
    static char buffer[2048];
    for (;;) {
        int events = epoll_wait(epoll, ready, 256, -1);
        for (int i = 0; i < events; i++) {
            struct sockaddr_in from;
            socklen_t length = sizeof from;
            ssize_t bytes = recvfrom(ready[i].data.fd, buffer, sizeof buffer, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
            if (bytes > 0) sendto(ready[i].data.fd, buffer, bytes, MSG_DONTWAIT, (struct sockaddr *)&from, length);
        }
    }
}
