// A link between two network namespaces, for TCP and UDP alike: a TUN device at each end, and between them, each way, a
// drop-tail queue before a bottleneck, then a wire with delay and loss. The same rules as the seeded link of simnet.
//
//   tun-link NAMESPACE_A NAMESPACE_B
//
// Prints `ready` when both devices ("sluice0" in each) are there. Then it reads commands, one a line:
//   set RATE_BITS DELAY_US QUEUE_US LOSS BURST SEED    of both directions, from the next packet on; counters start anew
//   stats                                              answers with the counters as one line of JSON
// It ends with its input, after a last line of counters.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "sluice0"
#define MAX_PACKET 1500
// 120 ms of 20 Mbit/s are 200 packets of full size, or 7,500 acknowledgements.
#define SLOTS 16384
#define SECOND_NS 1000000000LL

struct packet {
  int64_t deliver_ns;
  uint16_t length;
  uint8_t data[MAX_PACKET];
};

struct counters {
  uint64_t offered, offered_bytes, delivered, delivered_bytes, lost, queue_full;
};

struct direction {
  int from, to;
  uint64_t random;
  int is_bad;  // of the Gilbert model; -1: not begun
  int64_t idle_at_ns;
  uint32_t head, tail;  // of the ring; deliveries are in order, for the delay is the same for all
  struct counters counters;
  struct packet *ring;
};

static struct {
  double rate_bits, loss, burst;
  int64_t delay_ns, queue_ns;
} link_parameters = {20e6, 0, 1, 20000000, 100000000};

static void fail(const char *what) {
  fprintf(stderr, "tun-link: %s: %s\n", what, strerror(errno));
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * SECOND_NS + time.tv_nsec;
}

// splitmix64 (Steele, Lea, Flood 2014): uniform in [0, 1).
static double draw(uint64_t *state) {
  uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

// The simple Gilbert model, with one draw for each packet, whatever becomes of it.
static int is_lost(struct direction *way) {
  double number = draw(&way->random), loss = link_parameters.loss, burst = link_parameters.burst;
  if (burst <= 1 || loss <= 0 || loss >= 1) return number < loss;
  if (way->is_bad < 0) way->is_bad = number < loss;
  else way->is_bad = way->is_bad ? number >= 1 / burst : number < loss / (burst * (1 - loss));
  return way->is_bad;
}

static void take(struct direction *way, int64_t now) {
  struct packet *slot = &way->ring[way->tail % SLOTS];
  ssize_t length;
  while ((length = read(way->from, slot->data, MAX_PACKET)) > 0) {
    int lost = is_lost(way);
    int64_t wait = way->idle_at_ns > now ? way->idle_at_ns - now : 0;
    way->counters.offered++;
    way->counters.offered_bytes += length;
    if (wait > link_parameters.queue_ns || way->tail - way->head >= SLOTS - 1) {
      way->counters.queue_full++;
      continue;
    }
    // A lost packet has used its share of the bottleneck.
    way->idle_at_ns = now + wait + (int64_t)(length * 8 * (double)SECOND_NS / link_parameters.rate_bits);
    if (lost) {
      way->counters.lost++;
      continue;
    }
    slot->deliver_ns = way->idle_at_ns + link_parameters.delay_ns;
    slot->length = length;
    way->tail++;
    slot = &way->ring[way->tail % SLOTS];
  }
  if (length < 0 && errno != EAGAIN && errno != EIO) fail("reading from the device");
}

// Delivers what is due. Returns when the next packet is, or 0 where none waits.
static int64_t deliver(struct direction *way, int64_t now) {
  while (way->head != way->tail) {
    struct packet *slot = &way->ring[way->head % SLOTS];
    if (slot->deliver_ns > now) return slot->deliver_ns;
    if (write(way->to, slot->data, slot->length) == slot->length) {
      way->counters.delivered++;
      way->counters.delivered_bytes += slot->length;
    }
    way->head++;
  }
  return 0;
}

static int open_device(const char *namespace) {
  char path[256];
  snprintf(path, sizeof path, "/run/netns/%s", namespace);
  int space = open(path, O_RDONLY | O_CLOEXEC);
  if (space < 0 || setns(space, CLONE_NEWNET) < 0) fail(path);
  close(space);
  int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (device < 0) fail("/dev/net/tun");
  struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
  strncpy(request.ifr_name, DEVICE, IFNAMSIZ - 1);
  if (ioctl(device, TUNSETIFF, &request) < 0) fail("TUNSETIFF");
  return device;
}

static void print_counters(struct direction *ways) {
  const char *names[] = {"up", "down"};
  for (int i = 0; i < 2; i++) {
    struct counters *c = &ways[i].counters;
    printf("%s\"%s\":{\"offered\":%" PRIu64 ",\"offeredBytes\":%" PRIu64 ",\"delivered\":%" PRIu64
           ",\"deliveredBytes\":%" PRIu64 ",\"droppedLoss\":%" PRIu64 ",\"droppedQueue\":%" PRIu64 "}",
           i ? "," : "{", names[i], c->offered, c->offered_bytes, c->delivered, c->delivered_bytes, c->lost,
           c->queue_full);
  }
  printf("}\n");
  fflush(stdout);
}

static void obey(const char *line, struct direction *ways) {
  double rate, loss, burst;
  int64_t delay_us, queue_us;
  uint64_t seed;
  if (strcmp(line, "stats") == 0) {
    print_counters(ways);
  } else if (sscanf(line, "set %lf %" SCNd64 " %" SCNd64 " %lf %lf %" SCNu64, &rate, &delay_us, &queue_us, &loss,
                    &burst, &seed) == 6 && rate > 0 && delay_us >= 0 && queue_us >= 0 && loss >= 0 && loss <= 1) {
    link_parameters.rate_bits = rate;
    link_parameters.delay_ns = delay_us * 1000;
    link_parameters.queue_ns = queue_us * 1000;
    link_parameters.loss = loss;
    link_parameters.burst = burst;
    for (int i = 0; i < 2; i++) {
      ways[i].random = seed * 2 + i;
      ways[i].is_bad = -1;
      memset(&ways[i].counters, 0, sizeof ways[i].counters);
    }
    printf("set\n");
    fflush(stdout);
  } else {
    printf("{\"error\":\"unknown command\"}\n");
    fflush(stdout);
  }
}

// Returns 0 at the end of the input.
static int read_commands(struct direction *ways) {
  static char text[512];
  static size_t length;
  ssize_t got = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
  if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
  length += got;
  text[length] = 0;
  char *start = text, *end;
  while ((end = strchr(start, '\n')) != NULL) {
    *end = 0;
    obey(start, ways);
    start = end + 1;
  }
  length -= start - text;
  memmove(text, start, length);
  return length < sizeof text - 1;
}

static void watch(int events, int file, uint32_t tag) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};
  if (epoll_ctl(events, EPOLL_CTL_ADD, file, &event) < 0) fail("epoll_ctl");
}

int main(int count, char **arguments) {
  if (count != 3) {
    fprintf(stderr, "usage: tun-link NAMESPACE_A NAMESPACE_B\n");
    return 2;
  }
  int a = open_device(arguments[1]), b = open_device(arguments[2]);
  struct direction ways[2] = {{.from = a, .to = b, .is_bad = -1}, {.from = b, .to = a, .is_bad = -1, .random = 1}};
  for (int i = 0; i < 2; i++)
    if ((ways[i].ring = calloc(SLOTS, sizeof(struct packet))) == NULL) fail("memory");
  int events = epoll_create1(EPOLL_CLOEXEC);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (events < 0 || timer < 0) fail("epoll");
  watch(events, a, 0);
  watch(events, b, 1);
  watch(events, timer, 2);
  watch(events, STDIN_FILENO, 3);
  printf("ready\n");
  fflush(stdout);
  int64_t armed_ns = 0;
  for (;;) {
    struct epoll_event found[4];
    int n = epoll_wait(events, found, 4, -1);
    for (int i = 0; i < n; i++) {
      uint32_t tag = found[i].data.u32;
      if (tag < 2) take(&ways[tag], now_ns());
      if (tag == 2) {
        uint64_t expirations;
        if (read(timer, &expirations, sizeof expirations) > 0) armed_ns = 0;
      }
      if (tag == 3 && !read_commands(ways)) {
        print_counters(ways);
        return 0;
      }
    }
    int64_t now = now_ns(), next = 0;
    for (int i = 0; i < 2; i++) {
      int64_t due = deliver(&ways[i], now);
      if (due && (!next || due < next)) next = due;
    }
    if (next && next != armed_ns) {
      struct itimerspec at = {.it_value = {next / SECOND_NS, next % SECOND_NS}};
      if (timerfd_settime(timer, TFD_TIMER_ABSTIME, &at, NULL) < 0) fail("timerfd_settime");
      armed_ns = next;
    }
  }
}
