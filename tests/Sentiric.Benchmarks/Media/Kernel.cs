using System.Runtime.InteropServices;

namespace Sentiric.Benchmarks.Media;

/// <summary>Many datagrams of one socket in one system call, and sleeping to an absolute moment: a load must cost less than what it measures.</summary>
internal static class Kernel
{
    public const int DontWait = 0x40; // MSG_DONTWAIT
    private const int Monotonic = 1, AbsoluteTime = 1, Interrupted = 4;
    private const int Fifo = 1;

    /// <summary>struct mmsghdr of a 64-bit Linux.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Message
    {
        public nint Name;
        public uint NameLength;
        public nint Parts;
        public nint PartCount;
        public nint Control;
        public nint ControlLength;
        public long Flags; // an int; the rest is padding of msghdr
        public uint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Part
    {
        public nint Start;
        public nint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Address
    {
        public ushort Family;
        public ushort PortBigEndian;
        public uint HostBigEndian;
        public ulong Zero;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds, Nanoseconds;
    }

    public static void SleepUntil(long nanoseconds)
    {
        var until = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        while (clock_nanosleep(Monotonic, AbsoluteTime, in until, 0) == Interrupted) { }
    }

    /// <summary>Real-time priority for the calling thread, where it is permitted.</summary>
    public static bool Urgent(int priority) => sched_setscheduler(0, Fifo, in priority) == 0;

    [DllImport("libc")]
    public static extern int sendmmsg(int socket, ref Message messages, uint count, int flags);

    [DllImport("libc")]
    public static extern int recvmmsg(int socket, ref Message messages, uint count, int flags, nint timeout);

    [DllImport("libc")]
    private static extern int clock_nanosleep(int clock, int flags, ref readonly TimeSpec until, nint remaining);

    [DllImport("libc")]
    private static extern int sched_setscheduler(int thread, int policy, ref readonly int priority);
}
