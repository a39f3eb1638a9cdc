// Opens, reads and ends the connections of all clients, in one loop.
#include "crowd.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

int port, client_count;
bool engine_io;
const char *path, *subprotocol;
Client *clients;
void (*receive)(Client *, const uint8_t *bytes, size_t length);
void (*after_read)(Client *);
void (*opened)(Client *);
void (*ended)(Client *);
void (*ticked)(void);

static int epoll, timer;

void start_watching(void) {
  clients = calloc(MAX_CLIENTS, sizeof *clients);
  epoll = epoll_create1(0);
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &input)) fail("standard input: %s", strerror(errno));
  struct epoll_event ticks = {.events = EPOLLIN, .data.ptr = &timer};
  if (timer < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, timer, &ticks)) fail("no timer: %s", strerror(errno));
}

void set_timer(double rate) {
  long period = rate > 0 ? 1e9 / rate : 0;
  struct itimerspec each = {{period / 1000000000, period % 1000000000}, {0, rate > 0}};
  timerfd_settime(timer, 0, &each, NULL);
}

static void watch(Client *client, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = client};
  if (epoll_ctl(epoll, operation, client->fd, &event)) fail("epoll: %s", strerror(errno));
}

void connect_client(Client *client, int index) {
  client->index = index;
  client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (client->fd < 0) fail("no more sockets after %d: %s", index, strerror(errno));
  int yes = 1;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  // Several local addresses: one has only 28 000 ports, and some of them are not free after a close.
  struct sockaddr_in from = {.sin_family = AF_INET};
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + index % 8);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(client->fd, (void *)&from, sizeof from)) fail("bind: %s", strerror(errno));
  if (connect(client->fd, (void *)&to, sizeof to) && errno != EINPROGRESS) {
    fail("connect: %s", strerror(errno));
  }
  client->state = CONNECTING;
  watch(client, EPOLL_CTL_ADD, EPOLLOUT);
}

void close_client(Client *client) {
  static const uint8_t normal[] = {0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe8};
  client->state = CLOSING;
  send_all(client, normal, sizeof normal);
}

static void shake_hands(Client *client) {
  static char target[MAX_TEXT], request[MAX_TEXT + 400];
  client->stream = !strncmp(path, "sse:", 4);
  target[render(target, client->stream ? path + 4 : path, client->index, 0)] = 0;
  int n = client->stream ? sprintf(request,
    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n", target, port) : sprintf(request,
    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n", target, port);
  if (subprotocol) n += sprintf(request + n, "Sec-WebSocket-Protocol: %.100s\r\n", subprotocol);
  n += sprintf(request + n, "\r\n");
  client->state = SHAKING;
  watch(client, EPOLL_CTL_MOD, EPOLLIN);
  send_all(client, request, n);
}

static void end(Client *client) {
  close(client->fd);
  free(client->part);
  client->part = NULL;
  client->part_length = client->part_capacity = 0;
  client->state = GONE;
  ended(client);
}

// The bytes of a whole handshake; 0 where its end has not arrived.
static size_t take_head(Client *client, uint8_t *bytes, size_t length) {
  uint8_t *blank = memmem(bytes, length, "\r\n\r\n", 4);
  if (blank == NULL) return 0;
  const char *wanted = client->stream ? "HTTP/1.1 200" : "HTTP/1.1 101";
  if (length < 12 || memcmp(bytes, wanted, 12)) fail("no upgrade: %.*s", (int)(blank - bytes), bytes);
  *blank = 0;
  client->chunked = strcasestr((char *)bytes, "transfer-encoding: chunked") != NULL;
  client->state = OPEN;
  opened(client);
  return blank + 4 - bytes;
}

// Returns the length of the header, or 0 where it is not whole. Sets the length of the frame.
static size_t measure(const uint8_t *bytes, size_t length, size_t *frame) {
  if (length < 2) return 0;
  size_t size = bytes[1] & 127, head = size == 126 ? 4 : size == 127 ? 10 : 2;
  if (length < head) return 0;
  if (head > 2) size = 0;
  for (size_t i = 2; i < head; i++) size = size << 8 | bytes[i];
  if (size > MAX_TEXT) fail("received a frame of %zu bytes", size);
  *frame = head + size;
  return head;
}

static size_t take_frame(Client *client, uint8_t *bytes, size_t length) {
  size_t whole, head = measure(bytes, length, &whole);
  if (head == 0 || length < whole) return 0;
  const uint8_t *text = bytes + head;
  size_t size = whole - head;
  if (bytes[0] == 0x81 && engine_io && size == 1 && text[0] == '2') {
    send_text(client, "3", 0);
  } else if (bytes[0] == 0x81 || bytes[0] == 0x82) {
    receive(client, text, size);
  } else if (bytes[0] == 0x89) { // a ping
    uint8_t pong[131] = {0x8a, 0x80 | size};
    memcpy(pong + 6, text, size);
    send_all(client, pong, 6 + size);
  } else if (bytes[0] == 0x88) {
    if (client->state != CLOSING) {
      fail("the server closed connection %d: %.*s", client->index, (int)size, text);
    }
  } else {
    fail("client %d received a frame that begins with %02x", client->index, bytes[0]);
  }
  return whole;
}

// Takes the events in these bytes, each of which ends with an empty line. Returns how many bytes they have.
static size_t take_events(Client *client, const uint8_t *bytes, size_t length) {
  size_t used = 0;
  for (uint8_t *end; (end = memmem(bytes + used, length - used, "\n\n", 2)) != NULL; used = end + 2 - bytes) {
    const uint8_t *event = bytes + used;
    if (*event == ':') continue;
    if (end - event < 6 || memcmp(event, "data: ", 6)) {
      fail("client %d received the event %.*s", client->index, (int)(end - event), event);
    }
    receive(client, event + 6, end - event - 6);
  }
  return used;
}

static size_t take_chunk(Client *client, const uint8_t *bytes, size_t length) {
  uint8_t *line = memmem(bytes, length, "\r\n", 2);
  if (line == NULL) return 0;
  size_t head = line + 2 - bytes, size = strtoul((char *)bytes, NULL, 16);
  if (size == 0) fail("the server ended stream %d", client->index);
  if (length < head + size + 2) return 0;
  if (take_events(client, bytes + head, size) != size) fail("a chunk has a part of an event");
  return head + size + 2;
}

static size_t take(Client *client, uint8_t *bytes, size_t length) {
  if (client->state == SHAKING) return take_head(client, bytes, length);
  if (!client->stream) return take_frame(client, bytes, length);
  return client->chunked ? take_chunk(client, bytes, length) : take_events(client, bytes, length);
}

static void reserve(Client *client, size_t capacity) {
  if (client->part_capacity >= capacity) return;
  client->part = realloc(client->part, capacity);
  client->part_capacity = capacity;
}

// All clients share one buffer for reading; only a part of a frame is kept with its client.
static void readable(Client *client) {
  static uint8_t shared[1 << 18];
  uint8_t *bytes = shared;
  size_t length = client->part_length, room = sizeof shared, frame = 0;
  if (length > 0) {
    if (client->state != SHAKING && !client->stream) measure(client->part, length, &frame);
    reserve(client, (frame > length ? frame : length) + 1024);
    bytes = client->part, room = client->part_capacity;
  }
  ssize_t n = read(client->fd, bytes + length, room - length);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return end(client);
  length += n;
  size_t used = 0, step;
  do {
    step = take(client, bytes + used, length - used);
    used += step;
  } while (step > 0);
  client->part_length = length - used;
  if (used < length) {
    reserve(client, length - used);
    memmove(client->part, bytes + used, length - used);
  }
  if (after_read != NULL) after_read(client);
}

static void tick(void) {
  uint64_t ticks;
  if (read(timer, &ticks, sizeof ticks) > 0 && ticked != NULL) ticked();
}

bool turn(int milliseconds) {
  struct epoll_event events[512];
  int n = epoll_wait(epoll, events, 512, milliseconds);
  bool command = false;
  for (int i = 0; i < n; i++) {
    Client *client = events[i].data.ptr;
    if (events[i].data.ptr == NULL) command = true;
    else if (events[i].data.ptr == &timer) tick();
    else if (client->state == CONNECTING) shake_hands(client);
    else if (client->state != GONE) readable(client);
  }
  return !command;
}
