// floor: the least that a server does. It reads frames, and once a turn of its loop writes one joined buffer to each
// client. It has no JSON parser, no limits, no pings and no recovery: the load generator of bench/load is its only user.
//
//   {"type":"join_room","id":1,…}       the client joins the only room; answered with an ack
//   {"type":"message","data":DATA}      every member gets {"type":"message","data":DATA,"room":"r"}
//   {"type":"message","id":1,"data":…}  answered as bench/configs/requests/requests.hcl answers
//
// BENCH_PORT is its port on 127.0.0.1. It prints "ready".
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct { uint8_t *bytes; size_t length, capacity; } Buffer;

typedef struct {
  int fd, place; // its place among the members; -1 outside the room
  bool open;     // after the handshake
  Buffer input;  // the start of a frame whose end has not arrived
  Buffer output; // what the kernel has not taken
} Client;

enum { READ_SIZE = 1 << 18, MAX_MEMBERS = 20000 };

static int epoll;
static Client *members[MAX_MEMBERS];
static int member_count;
static Buffer room;    // the frames of this turn for every member
static Buffer answers; // the frames of this read for its client

static void fail(const char *what) {
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  exit(1);
}

static uint8_t *reserve(Buffer *buffer, size_t more) {
  if (buffer->length + more > buffer->capacity) {
    buffer->capacity = 2 * (buffer->length + more);
    buffer->bytes = realloc(buffer->bytes, buffer->capacity);
    if (buffer->bytes == NULL) fail("no memory");
  }
  return buffer->bytes + buffer->length;
}

static void append(Buffer *buffer, const void *bytes, size_t length) {
  memcpy(reserve(buffer, length), bytes, length);
  buffer->length += length;
}

static void watch(Client *client, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = client};
  if (epoll_ctl(epoll, operation, client->fd, &event)) fail("epoll_ctl");
}

static void end_client(Client *client) {
  if (client->place >= 0) {
    members[client->place] = members[--member_count];
    members[client->place]->place = client->place;
  }
  close(client->fd);
  free(client->input.bytes);
  free(client->output.bytes);
  free(client);
}

// Writes what the kernel takes and keeps the rest. A broken connection shows when it is read.
static void write_to(Client *client, const uint8_t *bytes, size_t length) {
  if (client->output.length > 0) return append(&client->output, bytes, length);
  ssize_t n = send(client->fd, bytes, length, MSG_NOSIGNAL);
  if (n < 0 && errno != EAGAIN) return;
  if (n == (ssize_t)length) return;
  size_t taken = n < 0 ? 0 : n;
  append(&client->output, bytes + taken, length - taken);
  watch(client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void write_more(Client *client) {
  Buffer *output = &client->output;
  ssize_t n = send(client->fd, output->bytes, output->length, MSG_NOSIGNAL);
  if (n <= 0) return;
  output->length -= n;
  memmove(output->bytes, output->bytes + n, output->length);
  if (output->length == 0) watch(client, EPOLL_CTL_MOD, EPOLLIN);
}

static void put_header(Buffer *out, int opcode, size_t length) {
  uint8_t *head = reserve(out, 10);
  head[0] = 0x80 | opcode;
  if (length < 126) {
    head[1] = length, out->length += 2;
  } else if (length < 65536) {
    head[1] = 126, head[2] = length >> 8, head[3] = length, out->length += 4;
  } else {
    head[1] = 127, out->length += 10;
    for (int i = 0; i < 8; i++) head[2 + i] = (uint64_t)length >> (56 - 8 * i);
  }
}

static void put_text(Buffer *out, const char *text, size_t length) {
  put_header(out, 1, length);
  append(out, text, length);
}

// The text after a key; the load generator always sends it.
static const char *after(const char *text, const char *key) {
  const char *found = strstr(text, key);
  if (found == NULL) fail(key);
  return found + strlen(key);
}

// The data of a message is the last field of its object.
static void tell_room(const char *data, size_t length) {
  static const char head[] = "{\"type\":\"message\",\"data\":", tail[] = ",\"room\":\"r\"}";
  put_header(&room, 1, sizeof head - 1 + length + sizeof tail - 1);
  append(&room, head, sizeof head - 1);
  append(&room, data, length);
  append(&room, tail, sizeof tail - 1);
}

static void answer(const char *text) {
  long id = strtol(after(text, "\"id\":"), NULL, 10);
  const char *data = after(text, "\"data\":");
  long order = strtol(after(data, "\"id\":"), NULL, 10);
  const char *customer = after(data, "\"customer\":\"");
  int customer_length = strchr(customer, '"') - customer;
  double total = strtod(after(data, "\"quantity\":"), NULL) * strtod(after(data, "\"price\":"), NULL);
  char out[1024];
  int length = snprintf(out, sizeof out,
    "{\"type\":\"ack\",\"id\":%ld,\"data\":{\"order\":%ld,\"customer\":\"%.*s\",\"total\":%.15g}}",
    id, order, customer_length, customer, total);
  put_text(&answers, out, length);
}

static void join(Client *client, const char *text) {
  if (client->place < 0) {
    if (member_count == MAX_MEMBERS) fail("too many members");
    client->place = member_count;
    members[member_count++] = client;
  }
  char out[64];
  put_text(&answers, out, sprintf(out, "{\"type\":\"ack\",\"id\":%ld}", strtol(after(text, "\"id\":"), NULL, 10)));
}

// A text ends with a zero here, in the place of the next frame's first byte.
static void take_text(Client *client, const char *text, size_t length) {
  static const char message[] = "{\"type\":\"message\",\"data\":", join_room[] = "{\"type\":\"join_room\"";
  if (!strncmp(text, message, sizeof message - 1)) {
    tell_room(text + sizeof message - 1, length - (sizeof message - 1) - 1);
  } else if (!strncmp(text, join_room, sizeof join_room - 1)) {
    join(client, text);
  } else {
    answer(text);
  }
}

// The key of every client is that of RFC 6455's example, and so the answer is, too.
static size_t take_handshake(Client *client, uint8_t *bytes, size_t length) {
  static const char accepted[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLBMlxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
  uint8_t *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  client->open = true;
  append(&answers, accepted, sizeof accepted - 1);
  return end + 4 - bytes;
}

// The bytes of one whole frame; 0 where its end has not arrived.
static size_t take_frame(Client *client, uint8_t *bytes, size_t length) {
  if (length < 2) return 0;
  size_t size = bytes[1] & 127, head = size == 126 ? 4 : size == 127 ? 10 : 2;
  if (length < head + 4) return 0;
  if (head > 2) size = 0;
  for (size_t i = 2; i < head; i++) size = size << 8 | bytes[i];
  uint8_t *mask = bytes + head, *text = mask + 4;
  if (length < head + 4 + size) return 0;
  uint64_t wide;
  memcpy(&wide, (uint8_t[]){mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]}, 8);
  size_t i = 0;
  for (uint64_t part; i + 8 <= size; i += 8) {
    memcpy(&part, text + i, 8);
    part ^= wide;
    memcpy(text + i, &part, 8);
  }
  for (; i < size; i++) text[i] ^= mask[i & 3];
  if ((bytes[0] & 15) == 8) { // a close frame is sent back
    put_header(&answers, 8, size);
    append(&answers, text, size);
  } else {
    uint8_t next = text[size];
    text[size] = 0;
    take_text(client, (char *)text, size);
    text[size] = next;
  }
  return head + 4 + size;
}

// What is whole is taken from a buffer that all clients share; only part of a frame is kept with its client.
static void readable(Client *client) {
  static uint8_t shared[READ_SIZE + 1]; // and one byte for the zero after a text
  Buffer *input = &client->input;
  uint8_t *bytes = shared;
  size_t length = input->length, space = READ_SIZE;
  if (length > 0) {
    reserve(input, READ_SIZE + 1);
    bytes = input->bytes;
    space = input->capacity - length - 1;
  }
  ssize_t n = read(client->fd, bytes + length, space);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return end_client(client);
  length += n;
  size_t used = 0, step;
  answers.length = 0;
  do {
    step = (client->open ? take_frame : take_handshake)(client, bytes + used, length - used);
    used += step;
  } while (step > 0);
  input->length = 0;
  if (bytes != shared) memmove(bytes, bytes + used, input->length = length - used);
  else if (used < length) append(input, bytes + used, length - used);
  if (answers.length > 0) write_to(client, answers.bytes, answers.length);
}

static void accept_clients(int listener) {
  for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    Client *client = calloc(1, sizeof *client);
    if (client == NULL) fail("no memory");
    client->fd = fd;
    client->place = -1;
    watch(client, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static int listen_on(int port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1024)) fail("listen");
  return listener;
}

int main(void) {
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  const char *port = getenv("BENCH_PORT");
  int listener = listen_on(port == NULL ? 3001 : atoi(port));
  epoll = epoll_create1(0);
  struct epoll_event arrivals = {.events = EPOLLIN, .data.ptr = NULL};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &arrivals)) fail("epoll_ctl");
  puts("ready");
  fflush(stdout);
  for (;;) {
    struct epoll_event events[512];
    int n = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < n; i++) {
      Client *client = events[i].data.ptr;
      if (client == NULL) {
        accept_clients(listener);
        continue;
      }
      if (events[i].events & EPOLLOUT) write_more(client);
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) readable(client);
    }
    if (room.length == 0) continue;
    for (int i = 0; i < member_count; i++) write_to(members[i], room.bytes, room.length);
    room.length = 0;
  }
}
