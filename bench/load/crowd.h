// Shared by the parts of crowd: clients, the texts that they send, and their connections.
#ifndef CROWD_H
#define CROWD_H
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  MAX_CLIENTS = 20000,
  MAX_WINDOW = 256,
  MAX_TEXT = 400000,
  MAX_FRAME = MAX_TEXT + 14,
  AT_ONCE = 64,
  PATIENCE_SECONDS = 10,
};

typedef enum { GONE, CONNECTING, SHAKING, OPEN, CLOSING } State;

typedef struct {
  int fd, index;
  State state;
  bool stream, chunked; // server-sent events instead of frames; in chunks, each with whole events
  uint8_t *part; // the start of a frame whose end has not arrived
  size_t part_length, part_capacity;
  long sent, got;
  double *sent_at; // of the outstanding questions, by number modulo MAX_WINDOW
} Client;

// ── measure.c
// How much of a command is done, and when it started.
extern long done;
extern double began;
void fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
double now(void);
void watch_process(int pid);
// Starts a command that has at most this many latencies.
void begin(long most_latencies);
void count_latency(double sent_at);
// Runs until `total` is done, then prints the cost.
void run_until(long total, const char *what);

// ── text.c
size_t render(char *out, const char *text, int index, long number);
size_t put_frame(uint8_t *out, const char *text, int index, long number);
void send_all(Client *client, const void *bytes, size_t length);
void send_text(Client *client, const char *text, long number);

// ── connection.c
extern int port, client_count;
extern bool engine_io;
extern const char *path, *subprotocol;
extern Client *clients;
// Called for each data frame, and after all frames of one read.
extern void (*receive)(Client *, const uint8_t *bytes, size_t length);
extern void (*after_read)(Client *);
// Called after a handshake, after the end of a connection, and by the timer.
extern void (*opened)(Client *);
extern void (*ended)(Client *);
extern void (*ticked)(void);

void start_watching(void);
// Ticks at this rate a second from now on; 0 stops it.
void set_timer(double rate);
void connect_client(Client *client, int index);
void close_client(Client *client);
// Waits for events for at most this time and handles them. Returns false when standard input is readable.
bool turn(int milliseconds);

#endif
