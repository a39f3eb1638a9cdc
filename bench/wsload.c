// wsload: a small epoll WebSocket load generator for loopback (127.0.0.1) only.
//
//   wsload fanout PORT PATH CLIENTS MESSAGES WINDOW JOIN PUBLISH [SERVER_PID]
//   wsload echo   PORT PATH CLIENTS MESSAGES WINDOW JOIN PUBLISH [SERVER_PID]
//   wsload idle   PORT PATH CLIENTS SECONDS  0      JOIN -       [SERVER_PID]
//
// fanout: CLIENTS subscribers each send JOIN (or nothing if "-"), then one more connection publishes PUBLISH
//         MESSAGES times, at most WINDOW broadcasts outstanding; a broadcast is done when every subscriber has it.
// echo:   every client sends PUBLISH and waits for one frame back, WINDOW in flight per client, MESSAGES in all.
// idle:   connects CLIENTS, waits SECONDS, reports the server's memory for each connection.
// PUBPATH and PUBJOIN in the environment give the publisher's own path and first message.
// Prints one JSON line. %d in PATH, JOIN or PUBLISH is replaced by the client's index, %n in fanout's PUBLISH by the
// message's number from 0, nine digits. Bounded in count and time (60 s).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct { int fd, up, idx; uint8_t *buf; size_t len, cap; long got; uint8_t hdr; double sent[64]; int sh, st; } Conn;
static int ep, port, N; static const char *path, *pubpath; static Conn *cs; static long seq;
static double now(void){ struct timespec t; clock_gettime(CLOCK_MONOTONIC,&t); return t.tv_sec+t.tv_nsec/1e9; }
// CPU seconds of all threads of pid: nanoseconds where the kernel has schedstat, else clock ticks
static double cpu_of(int pid){ if(!pid) return 0; char p[300],b[1024]; double ns=0; int seen=0; snprintf(p,64,"/proc/%d/task",pid); DIR*d=opendir(p); if(d){ for(struct dirent*e;(e=readdir(d));){ if(e->d_name[0]=='.') continue; snprintf(p,300,"/proc/%d/task/%s/schedstat",pid,e->d_name); FILE*f=fopen(p,"r"); double t; if(f){ if(fscanf(f,"%lf",&t)==1){ ns+=t; seen=1; } fclose(f);} } closedir(d); } if(seen) return ns/1e9;
  snprintf(p,64,"/proc/%d/stat",pid); FILE*f=fopen(p,"r"); if(!f) return 0; size_t n=fread(b,1,1023,f); b[n]=0; fclose(f); char*q=strrchr(b,')')+2; long ut=0,st=0; int i=3; for(char*t=strtok(q," ");t;t=strtok(NULL," "),i++){ if(i==14)ut=atol(t); if(i==15)st=atol(t);} return (double)(ut+st)/sysconf(_SC_CLK_TCK); }
static long rss_of(int pid){ if(!pid) return 0; char p[64]; snprintf(p,64,"/proc/%d/statm",pid); FILE*f=fopen(p,"r"); long a=0,b=0; if(f){ if(fscanf(f,"%ld %ld",&a,&b)!=2) b=0; fclose(f);} return b*sysconf(_SC_PAGESIZE); }
static void fill(char*out,size_t cap,const char*t,int i){ size_t o=0; for(;*t&&o<cap-24;t++){ if(t[0]=='%'&&t[1]=='d'){ o+=snprintf(out+o,cap-o,"%d",i); t++; } else if(t[0]=='%'&&t[1]=='n'){ o+=snprintf(out+o,cap-o,"%09ld",seq); t++; } else out[o++]=*t; } out[o]=0; }
static void die(const char*m){ fprintf(stderr,"wsload: %s (%s)\n",m,strerror(errno)); exit(1); }
static void wr(int fd,const void*b,size_t n){ const char*p=b; while(n){ ssize_t k=write(fd,p,n); if(k<0){ if(errno==EAGAIN){ usleep(50); continue;} die("write"); } p+=k; n-=k; } }
static size_t frame(uint8_t*o,const char*s){ static uint8_t x[30000]; size_t n=strlen(s),h; o[0]=0x81; if(!strncmp(s,"hex:",4)){ n=0; for(s+=4;s[0]&&s[1];s+=2){ unsigned v; sscanf(s,"%2x",&v); x[n++]=v; } s=(char*)x; o[0]=0x82; } if(n<126){o[1]=0x80|n;h=2;} else {o[1]=0x80|126;o[2]=n>>8;o[3]=n;h=4;} memset(o+h,0,4); memcpy(o+h+4,s,n); return h+4+n; }
static void opn(Conn*c,int i){ c->idx=i; c->fd=socket(AF_INET,SOCK_STREAM,0); struct sockaddr_in a={.sin_family=AF_INET,.sin_port=htons(port)};
  a.sin_addr.s_addr=htonl(0x7f000001+(i/20000)); if(connect(c->fd,(void*)&a,sizeof a)) die("connect"); int one=1; setsockopt(c->fd,IPPROTO_TCP,TCP_NODELAY,&one,4);
  char r[1024],p[512]; fill(p,512,i==N&&pubpath?pubpath:path,i); int n=snprintf(r,1024,"GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%sOrigin: http://127.0.0.1:%d\r\n\r\n",p,port,getenv("WSPROTO")?getenv("WSPROTO"):"",port); wr(c->fd,r,n);
  c->cap=16384; c->buf=malloc(c->cap); c->len=0; for(;;){ ssize_t k=read(c->fd,c->buf+c->len,c->cap-c->len-1); if(k<=0) die("handshake read"); c->len+=k; c->buf[c->len]=0; char*e=strstr((char*)c->buf,"\r\n\r\n"); if(e){ if(!strstr((char*)c->buf," 101")) { fprintf(stderr,"%s\n",c->buf); die("no upgrade"); } size_t h=e+4-(char*)c->buf; memmove(c->buf,c->buf+h,c->len-h); c->len-=h; break; } }
  fcntl(c->fd,F_SETFL,O_NONBLOCK); struct epoll_event ev={.events=EPOLLIN,.data.ptr=c}; epoll_ctl(ep,EPOLL_CTL_ADD,c->fd,&ev); }
// parse whole frames out of c; returns how many data frames
static int eat(Conn*c){ int d=0; size_t o=0; while(c->len-o>=2){ uint8_t*b=c->buf+o; size_t n=b[1]&127,h=2; if(n==126){ if(c->len-o<4)break; n=b[2]<<8|b[3]; h=4;} else if(n==127){ if(c->len-o<10)break; n=0; for(int i=2;i<10;i++) n=n<<8|b[i]; h=10; } if(c->len-o<h+n) { if(h+n>c->cap){ c->cap=h+n+16384; c->buf=realloc(c->buf,c->cap);} break; } int op=b[0]&15; if(op==1||op==2) d++; else if(op==9){ uint8_t pg[140]; pg[0]=0x8a; pg[1]=0x80|n; memset(pg+2,0,4); memcpy(pg+6,b+h,n); wr(c->fd,pg,6+n);} else if(op==8) die("server closed"); o+=h+n; } memmove(c->buf,c->buf+o,c->len-o); c->len-=o; return d; }
static int rd(Conn*c){ int d=0; for(;;){ if(c->len==c->cap){ c->cap*=2; c->buf=realloc(c->buf,c->cap);} ssize_t k=read(c->fd,c->buf+c->len,c->cap-c->len); if(k==0) die("closed"); if(k<0){ if(errno==EAGAIN) break; die("read"); } c->len+=k; d+=eat(c); if((size_t)k<c->cap-c->len) break; } return d; }
static int cmp(const void*a,const void*b){ double x=*(double*)a,y=*(double*)b; return x<y?-1:x>y; }
int main(int ac,char**av){ if(ac<9) die("usage"); const char*mode=av[1]; port=atoi(av[2]); path=av[3]; N=atoi(av[4]); long M=atol(av[5]); int W=atoi(av[6]); const char*join=av[7],*pub=av[8]; int pid=ac>9?atoi(av[9]):0; pubpath=getenv("PUBPATH"); const char*pj=getenv("PUBJOIN");
  struct rlimit rl={1<<20,1<<20}; if(setrlimit(RLIMIT_NOFILE,&rl)){ getrlimit(RLIMIT_NOFILE,&rl); rl.rlim_cur=rl.rlim_max; setrlimit(RLIMIT_NOFILE,&rl);} ep=epoll_create1(0); cs=calloc(N+1,sizeof(Conn)); static uint8_t fb[70000]; char t[60000]; long rss0=rss_of(pid); double t0=now();
  int fan=!strcmp(mode,"fanout"),idle=!strcmp(mode,"idle"); int tot=N+(fan?1:0); for(int i=0;i<tot;i++){ opn(&cs[i],i); if(i==N&&pj){ fill(t,sizeof t,pj,i); wr(cs[i].fd,fb,frame(fb,t)); } if(strcmp(join,"-")&&i<N){ fill(t,sizeof t,join,i); wr(cs[i].fd,fb,frame(fb,t)); } }
  double tc=now()-t0; struct epoll_event ev[1024];
  // settle: drain whatever connecting produced
  double s=now(); while(now()-s<0.5){ int k=epoll_wait(ep,ev,1024,100); for(int i=0;i<k;i++) rd(ev[i].data.ptr); }
  if(idle){ double c0=cpu_of(pid); s=now(); while(now()-s<M){ int k=epoll_wait(ep,ev,1024,100); for(int i=0;i<k;i++) rd(ev[i].data.ptr);} long r=rss_of(pid); printf("{\"mode\":\"idle\",\"clients\":%d,\"connect_per_s\":%.0f,\"rss_per_conn\":%.0f,\"rss\":%ld,\"cpu_s\":%.2f}\n",N,tot/tc,(double)(r-rss0)/N,r,cpu_of(pid)-c0); return 0; }
  double c0=cpu_of(pid),b=now(),last=b; 
  if(fan){ long sent=0,del=0; double*lat=malloc(sizeof(double)*M),*st=malloc(sizeof(double)*M); long*cnt=calloc(M,sizeof(long)); long done=0,minc=0; for(int i=0;i<N;i++) cs[i].got=0;
    while(done<M){ while(sent<M&&sent-done<W){ seq=sent; fill(t,sizeof t,pub,0); size_t fl=frame(fb,t); st[sent]=now(); wr(cs[N].fd,fb,fl); sent++; } int k=epoll_wait(ep,ev,1024,1000); double n=now(); if(k==0&&n-last>10){ fprintf(stderr,"stalled: %ld/%ld deliveries\n",del,M*N); break; } for(int i=0;i<k;i++){ Conn*c=ev[i].data.ptr; int d=rd(c); if(c==&cs[N]) continue; last=n; for(int j=0;j<d&&c->got<M;j++){ if(++cnt[c->got]==N){ lat[c->got]=n-st[c->got]; } c->got++; del++; } } while(done<M&&cnt[done]==N) done++; if(n-b>60) break; (void)minc; }
    double e=now()-b,cu=cpu_of(pid)-c0; qsort(lat,done,sizeof(double),cmp); printf("{\"mode\":\"fanout\",\"clients\":%d,\"messages\":%ld,\"deliveries\":%ld,\"lost\":%ld,\"per_s\":%.0f,\"server_cpu_us_per_delivery\":%.3f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"connect_per_s\":%.0f,\"rss\":%ld}\n",N,done,del,M*N-del,del/e,del?cu*1e6/del:0,done?lat[done/2]*1e3:0,done?lat[done*99/100]*1e3:0,tot/tc,rss_of(pid)); return done<M; }
  long sent=0,got=0; double*lat=malloc(sizeof(double)*(M+1)); for(int i=0;i<N;i++) for(int w=0;w<W&&sent<M;w++){ fill(t,sizeof t,pub,i); wr(cs[i].fd,fb,frame(fb,t)); cs[i].sent[cs[i].sh++&63]=now(); sent++; }
  while(got<M){ int k=epoll_wait(ep,ev,1024,1000); double n=now(); if(k==0&&n-last>10){ fprintf(stderr,"stalled %ld/%ld\n",got,M); break;} for(int i=0;i<k;i++){ Conn*c=ev[i].data.ptr; int d=rd(c); last=n; for(int j=0;j<d;j++){ if(got<M) lat[got++]=n-c->sent[c->st++&63]; if(sent<M){ fill(t,sizeof t,pub,c->idx); wr(c->fd,fb,frame(fb,t)); c->sent[c->sh++&63]=now(); sent++; } } } if(n-b>60) break; }
  double e=now()-b,cu=cpu_of(pid)-c0; qsort(lat,got,sizeof(double),cmp); printf("{\"mode\":\"echo\",\"clients\":%d,\"messages\":%ld,\"per_s\":%.0f,\"server_cpu_us_per_msg\":%.3f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"rss\":%ld}\n",N,got,got/e,got?cu*1e6/got:0,lat[got/2]*1e3,lat[got*99/100]*1e3,rss_of(pid)); return got<M; }
