using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>
/// The few Linux calls behind the media threads. Sockets of the thread pool cost two to three times the CPU per packet,
/// and no .NET timer sleeps to an absolute deadline.
/// </summary>
internal static class Libc
{
    public const int DontWait = 0x40;          // MSG_DONTWAIT
    public const int Monotonic = 1;            // CLOCK_MONOTONIC
    public const int AbsoluteTime = 1;         // TIMER_ABSTIME
    public const int EpollAdd = 1, EpollDelete = 2;
    public const uint EpollIn = 1;
    public const int RealTimeFifo = 1;         // SCHED_FIFO
    public const int Interrupted = 4;          // EINTR
    private const int CloseOnExec = 0x80000;   // EPOLL_CLOEXEC

    [StructLayout(LayoutKind.Sequential)]
    public struct SocketAddressIn
    {
        public ushort Family;
        public ushort PortBigEndian;
        public uint AddressBigEndian;
        public ulong Zero;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }

    public static int CreateEpoll() => epoll_create1(CloseOnExec);

    [DllImport("libc", SetLastError = true)]
    public static extern nint recvfrom(
        int socket, ref byte buffer, nint length, int flags, ref SocketAddressIn from, ref uint fromLength);

    [DllImport("libc", SetLastError = true)]
    public static extern nint sendto(
        int socket, ref readonly byte buffer, nint length, int flags, ref readonly SocketAddressIn to, uint toLength);

    [DllImport("libc", SetLastError = true)]
    private static extern int epoll_create1(int flags);

    [DllImport("libc", SetLastError = true)]
    public static extern int epoll_ctl(int epoll, int operation, int socket, ref byte epollEvent);

    [DllImport("libc", SetLastError = true)]
    public static extern int epoll_wait(int epoll, ref byte events, int maxEvents, int timeoutMs);

    [DllImport("libc", SetLastError = true)]
    public static extern int close(int handle);

    [DllImport("libc")]
    public static extern int clock_nanosleep(int clock, int flags, ref readonly TimeSpec until, nint remaining);

    [DllImport("libc", SetLastError = true)]
    public static extern int sched_setscheduler(int thread, int policy, ref readonly int priority);
}
