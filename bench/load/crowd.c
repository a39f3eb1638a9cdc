// crowd: thousands of WebSocket clients on 127.0.0.1 in one thread, since JavaScript would be too slow.
//
//   crowd PORT PROTOCOL     PROTOCOL is a subprotocol to ask for, "engine.io", whose pings are texts, or "-"
//
// Commands come on standard input, a line each, fields parted by tabs. One line of JSON answers each.
//
//   watch PID                                         measures the CPU time of this process with each command from now on
//   port  PORT                                        the server of the clients that are opened from now on
//   open  COUNT PATH                                  opens COUNT more clients, 64 handshakes at a time
//   churn COUNT WINDOW PATH                           opens and closes connections, WINDOW at a time
//   tell  FIRST COUNT FRAME FRAMES                    every client sends FRAME and receives FRAMES frames of any content
//   ask   FIRST COUNT EACH WINDOW FRAME ANSWER        every client sends EACH questions, WINDOW outstanding
//   fan   SENDER FIRST COUNT TOTAL WINDOW RATE FRAME COPY
//                                                     one client sends, every client of the range receives a copy;
//                                                     RATE messages a second; 0 for as many as the window allows
//   hear  FIRST COUNT TOTAL COPY                      the same where another program sends, after "listening" is printed
//
// A PATH that begins with "sse:" opens streams of server-sent events, whose data counts as frames: "sse:/events".
//
// text.c lists the placeholders of texts. Messages are numbered from 0, in `ask` for each client. Frames are
// compared byte for byte and in order. A wrong or unexpected frame, a connection that ends and ten seconds of
// silence end the program with a message on standard error. Frames to a sender outside the range are ignored.
#include "crowd.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void unwanted(Client *client, const uint8_t *text, size_t length) {
  fail("client %d received an unexpected frame: %.*s", client->index, (int)(length > 300 ? 300 : length), text);
}

// Frames between commands: a greeting that `tell` waits for, or frames that the next command refuses.
static void keep(Client *client, const uint8_t *text, size_t length) {
  (void)text, (void)length;
  client->got++;
}

static void must_match(Client *client, const uint8_t *text, size_t length, const char *wanted, size_t wanted_length) {
  if (length == wanted_length && !memcmp(text, wanted, length)) return;
  fail("client %d received %zu bytes, %.*s, instead of %zu, %.*s", client->index, length,
    (int)(length > 300 ? 300 : length), text, wanted_length, (int)(wanted_length > 300 ? 300 : wanted_length), wanted);
}

static Client *range_begin, *range_end;

static void use_range(int first, int count) {
  if (first < 0 || first + count > client_count) fail("there are only %d clients", client_count);
  range_begin = clients + first, range_end = range_begin + count;
  for (Client *c = range_begin; c < range_end; c++) {
    if (c->got > 0) fail("client %d received %ld unexpected frames", c->index, c->got);
    c->sent = c->got = 0;
  }
}

static void forget(void) {
  for (Client *c = clients; c < clients + client_count; c++) c->got = 0;
  receive = keep, after_read = NULL;
}

// ── Commands ──────────────────────────────────────────────────────────────────────────────────────

static long connected_to, window_size;
static const char *frame_text, *answer_text;
static long each;

static void unexpected_end(Client *client) { fail("the server ended connection %d", client->index); }

static void next_open(Client *client) {
  (void)client;
  done++;
  if (client_count < connected_to) {
    Client *next = clients + client_count++;
    connect_client(next, next - clients);
  }
}

static void open_clients(int count, const char *where) {
  // epoll holds pointers to clients, so they must not move.
  if (client_count + count > MAX_CLIENTS) fail("%d clients at most", MAX_CLIENTS);
  path = where;
  opened = next_open, ended = unexpected_end, receive = keep;
  connected_to = client_count + count;
  begin(0);
  for (int i = 0; i < AT_ONCE && client_count < connected_to; i++) {
    Client *next = clients + client_count++;
    connect_client(next, next - clients);
  }
  run_until(count, "connections were opened");
}

static void next_churn(Client *client) {
  done++;
  if (connected_to-- > 0) connect_client(client, client->index + 1);
}

static void churn(int count, int window, const char *where) {
  if (client_count > 0) fail("churn needs a crowd without clients");
  path = where;
  opened = close_client, ended = next_churn, receive = unwanted;
  connected_to = count;
  begin(0);
  for (int i = 0; i < window && connected_to-- > 0; i++) connect_client(clients + i, i);
  run_until(count, "connections were opened and closed");
}

static void told(Client *client, const uint8_t *text, size_t length) {
  (void)text, (void)length;
  if (++client->got == each) done++;
}

static void tell(int first, int count, const char *frame, int frames) {
  if (first < 0 || first + count > client_count) fail("there are only %d clients", client_count);
  each = frames, receive = told;
  begin(0);
  for (Client *c = clients + first; c < clients + first + count; c++) {
    if (c->got >= frames) done++;
    send_text(c, frame, 0);
  }
  run_until(count, "clients were answered");
}

// Sends as many questions as the window has room for, in one packet: a server that joins answers receives
// joined questions.
static void ask_more(Client *client) {
  static uint8_t out[1 << 20];
  size_t length = 0;
  double time = now();
  while (client->sent < each && client->sent - client->got < window_size && length < sizeof out - MAX_FRAME) {
    client->sent_at[client->sent % MAX_WINDOW] = time;
    length += put_frame(out + length, frame_text, client->index, client->sent++);
  }
  if (length > 0) send_all(client, out, length);
}

static void answered(Client *client, const uint8_t *text, size_t length) {
  static char wanted[MAX_TEXT];
  if (client < range_begin || client >= range_end || client->got == client->sent) unwanted(client, text, length);
  must_match(client, text, length, wanted, render(wanted, answer_text, client->index, client->got));
  count_latency(client->sent_at[client->got % MAX_WINDOW]);
  client->got++;
  done++;
}

static void ask(int first, int count, long questions, long window, const char *frame, const char *answer) {
  use_range(first, count);
  each = questions, window_size = window, frame_text = frame, answer_text = answer;
  receive = answered, after_read = ask_more;
  for (Client *c = range_begin; c < range_end; c++) {
    if (c->sent_at == NULL) c->sent_at = malloc(MAX_WINDOW * sizeof *c->sent_at);
  }
  begin(count * questions);
  for (Client *c = range_begin; c < range_end; c++) ask_more(c);
  run_until(count * questions, "answers came");
}

// The outstanding copies, by number modulo `copy_places`. There is a place for each message that may be
// outstanding: for all messages where another program sends.
typedef struct { char *text; size_t length; double sent_at; long missing; long number; } Copy;
static Copy *copies;
static long copy_places;
static Client *sender;
static long fan_total, fan_sent, fan_complete;
static double fan_rate;

static Copy *copy_of(long number) { return copies + number % copy_places; }

static Copy *prepare_copy(long number) {
  static char rendered[MAX_TEXT];
  Copy *copy = copy_of(number);
  copy->length = render(rendered, answer_text, 0, number);
  copy->text = realloc(copy->text, copy->length);
  memcpy(copy->text, rendered, copy->length);
  copy->missing = range_end - range_begin;
  copy->number = number;
  return copy;
}

static void make_places(long places) {
  for (Copy *copy = copies; copy < copies + copy_places; copy++) free(copy->text);
  free(copies);
  copies = calloc(places, sizeof *copies);
  copy_places = places;
  for (Copy *copy = copies; copy < copies + places; copy++) copy->number = -1;
}

static void fan_more(void) {
  while (fan_sent < fan_total && fan_sent - fan_complete < window_size) {
    double due = fan_rate > 0 ? began + fan_sent / fan_rate : now();
    if (fan_rate > 0 && due > now()) return;
    prepare_copy(fan_sent)->sent_at = due;
    send_text(sender, frame_text, fan_sent++);
  }
}

static void copied(Client *client, const uint8_t *text, size_t length) {
  if (client < range_begin || client >= range_end) {
    if (client == sender) return;
    unwanted(client, text, length);
  }
  if (client->got == fan_total) unwanted(client, text, length);
  Copy *copy = copy_of(client->got);
  if (copy->number != client->got) {
    if (sender != NULL) unwanted(client, text, length);
    prepare_copy(client->got);
  }
  must_match(client, text, length, copy->text, copy->length);
  client->got++;
  done++;
  if (--copy->missing > 0 || sender == NULL) return;
  count_latency(copy->sent_at);
  fan_complete++;
  fan_more();
}

typedef struct { int first, count; long total, window; double rate; const char *frame, *copy; } Fan;

static void fan(Client *from, Fan f) {
  use_range(f.first, f.count);
  sender = from, fan_total = f.total, fan_sent = fan_complete = 0, fan_rate = f.rate;
  window_size = f.window, frame_text = f.frame, answer_text = f.copy;
  receive = copied, ticked = fan_more;
  make_places(from == NULL ? f.total : f.window);
  begin(f.total);
  if (from == NULL) {
    puts("\"listening\"");
    fflush(stdout);
  } else {
    set_timer(f.rate);
    fan_more();
  }
  run_until(f.count * f.total, "copies came");
  set_timer(0);
  ticked = NULL;
}

static void obey(char *line) {
  char *f[10] = {0};
  int n = 0;
  for (char *field; n < 10 && (field = strsep(&line, "\t"));) f[n++] = field;
  long number[10];
  for (int i = 0; i < n; i++) number[i] = atol(f[i]);
  const char *name = f[0];
  if (!strcmp(name, "watch") && n == 2) {
    watch_process(number[1]);
    puts("{}");
    fflush(stdout);
    return;
  }
  if (!strcmp(name, "port") && n == 2) {
    port = number[1];
    puts("{}");
    fflush(stdout);
    return;
  }
  if (!strcmp(name, "open") && n == 3) {
    open_clients(number[1], f[2]);
    fflush(stdout);
    // Frames that arrive now may be a greeting that `tell` waits for.
    return;
  }
  if (!strcmp(name, "churn") && n == 4) {
    churn(number[1], number[2], f[3]);
  } else if (!strcmp(name, "tell") && n == 5) {
    tell(number[1], number[2], f[3], number[4]);
  } else if (!strcmp(name, "ask") && n == 7 && number[4] <= MAX_WINDOW) {
    ask(number[1], number[2], number[3], number[4], f[5], f[6]);
  } else if (!strcmp(name, "fan") && n == 9 && number[5] <= MAX_WINDOW && number[1] < client_count) {
    fan(clients + number[1], (Fan){number[2], number[3], number[4], number[5], atof(f[6]), f[7], f[8]});
  } else if (!strcmp(name, "hear") && n == 5) {
    fan(NULL, (Fan){number[1], number[2], number[3], 0, 0, NULL, f[4]});
  } else {
    fail("unknown command \"%.100s\" with %d fields", name, n - 1);
  }
  forget();
  fflush(stdout);
}

int main(int count, char **arguments) {
  if (count != 3) fail("crowd PORT PROTOCOL");
  port = atoi(arguments[1]);
  engine_io = !strcmp(arguments[2], "engine.io");
  if (!engine_io && strcmp(arguments[2], "-")) subprotocol = arguments[2];
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  receive = keep, ended = unexpected_end;
  start_watching();
  static char line[3 * MAX_TEXT];
  for (size_t length = 0;;) {
    // Pings are answered between commands, too.
    while (turn(-1)) continue;
    ssize_t n = read(0, line + length, sizeof line - 1 - length);
    if (n <= 0) return 0;
    length += n;
    if (line[length - 1] != '\n') continue;
    line[length - 1] = 0;
    obey(line);
    length = 0;
  }
}
