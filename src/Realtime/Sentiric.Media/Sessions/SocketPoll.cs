using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>The sockets of one media thread behind one epoll descriptor; each datagram is handed to its endpoint.</summary>
internal sealed class SocketPoll : IDisposable
{
    private const int MaxEvents = 64;
    private const int MaxDatagram = 2_048; // longer ones are cut by the kernel and then too long for any decoder

    // struct epoll_event is packed on x86-64 only (12 bytes); elsewhere its 64-bit data is aligned (16 bytes).
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = DataOffset + 8;

    private readonly Lock gate = new(); // who adds and removes
    private readonly Queue<int> free = new(); // under the gate
    private UdpEndpoint?[] endpoints = new UdpEndpoint?[64]; // replaced when it is full; a key is a place in it
    private readonly byte[] events = GC.AllocateArray<byte>(MaxEvents * 16, pinned: true);
    private readonly byte[] buffer = GC.AllocateArray<byte>(MaxDatagram, pinned: true);
    private readonly Action<Exception> onFault;
    private readonly int epoll;
    private int used; // under the gate

    public SocketPoll(Action<Exception> onFault)
    {
        this.onFault = onFault;
        epoll = Libc.CreateEpoll();
        if (epoll < 0) throw new Win32Exception();
    }

    public void Add(UdpEndpoint endpoint)
    {
        int place;
        lock (gate)
        {
            place = TakePlace();
            Volatile.Write(ref endpoints[place], endpoint);
            endpoint.PollPlace = place;
        }
        Control(Libc.EpollAdd, endpoint, place);
    }

    /// <summary>No datagram is taken from the endpoint after this returns, except one already in the handler's hands.</summary>
    public void Remove(UdpEndpoint endpoint)
    {
        lock (gate)
        {
            if (endpoint.PollPlace is not { } place) return;
            Control(Libc.EpollDelete, endpoint, place);
            // An event that was reported before this may still name the place: a newcomer in it is then asked once for a datagram that it has not.
            Volatile.Write(ref endpoints[place], null);
            free.Enqueue(place);
            endpoint.PollPlace = null;
        }
    }

    private int TakePlace()
    {
        if (free.TryDequeue(out var known)) return known;
        var place = used++;
        if (place == endpoints.Length)
        {
            var larger = new UdpEndpoint?[2 * endpoints.Length];
            endpoints.CopyTo(larger, 0);
            Volatile.Write(ref endpoints, larger);
        }
        return place;
    }

    /// <summary>
    /// Takes what is there, without waiting, until nothing is left or it is time for the next slot; but at least so many, or a
    /// thread that is behind would send and never listen.
    /// Level-triggered and one datagram per event: an endpoint that has more is reported again behind the others, so one that is
    /// flooded can starve none.
    /// </summary>
    public void TakeAll(long until, int atLeast)
    {
        for (var taken = 0; taken < atLeast || Pacing.NowNs() < until;)
        {
            var ready = Wait(0);
            if (ready == 0) return;
            taken += ready;
        }
    }

    /// <summary>Waits for datagrams and takes one of each endpoint that has some. Returns how many endpoints had.</summary>
    public int Wait(int milliseconds)
    {
        var ready = Libc.epoll_wait(epoll, ref events[0], MaxEvents, milliseconds);
        for (var i = 0; i < ready; i++)
        {
            var place = (int)MemoryMarshal.Read<long>(events.AsSpan(i * EventSize + DataOffset));
            if (Volatile.Read(ref Volatile.Read(ref endpoints)[place]) is { } endpoint) Take(endpoint);
        }
        return Math.Max(0, ready);
    }

    public void Dispose() => _ = Libc.close(epoll);

    // A bug in the way of one packet must not deafen every call.
    private void Take(UdpEndpoint endpoint)
    {
        try
        {
            endpoint.ReceiveOne(buffer);
        }
        catch (Exception bug)
        {
            onFault(bug);
        }
    }

    private void Control(int operation, UdpEndpoint endpoint, long key)
    {
        Span<byte> request = stackalloc byte[16];
        MemoryMarshal.Write(request, Libc.EpollIn);
        MemoryMarshal.Write(request[DataOffset..], key);
        if (Libc.epoll_ctl(epoll, operation, endpoint.Handle, ref request[0]) < 0) throw new Win32Exception();
    }
}
