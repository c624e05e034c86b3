using System.Collections.Concurrent;
using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Sentiric.Media;

/// <summary>One thread that waits on all sockets with epoll and hands each datagram to its endpoint.</summary>
internal sealed class ReceiveLoop : IDisposable
{
    private const int MaxEvents = 256;
    private const int MaxDatagram = 2_048; // longer ones are cut by the kernel and then too long for any decoder
    private const int LookForStopMs = 100;

    // struct epoll_event is packed on x86-64 only (12 bytes); elsewhere its 64-bit data is aligned (16 bytes).
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = DataOffset + 8;

    private readonly ConcurrentDictionary<long, UdpEndpoint> endpoints = new();
    private readonly ConcurrentDictionary<UdpEndpoint, long> keys = new();
    private readonly Action<Exception> onFault;
    private readonly int epoll;
    private readonly Thread thread;
    private long lastKey;
    private volatile bool stopping;

    public ReceiveLoop(Action<Exception> onFault)
    {
        this.onFault = onFault;
        epoll = Libc.CreateEpoll();
        if (epoll < 0) throw new Win32Exception();
        thread = new Thread(Run) { Name = "media receive", IsBackground = true };
        thread.Start();
    }

    public void Add(UdpEndpoint endpoint)
    {
        var key = Interlocked.Increment(ref lastKey);
        endpoints[key] = endpoint;
        keys[endpoint] = key;
        Control(Libc.EpollAdd, endpoint, key);
    }

    /// <summary>No datagram is taken from the endpoint after this returns, except one already in the handler's hands.</summary>
    public void Remove(UdpEndpoint endpoint)
    {
        if (!keys.TryRemove(endpoint, out var key)) return;
        endpoints.TryRemove(key, out _);
        Control(Libc.EpollDelete, endpoint, key);
    }

    public void Dispose()
    {
        stopping = true;
        thread.Join();
        _ = Libc.close(epoll);
    }

    private void Control(int operation, UdpEndpoint endpoint, long key)
    {
        Span<byte> request = stackalloc byte[16];
        MemoryMarshal.Write(request, Libc.EpollIn);
        MemoryMarshal.Write(request[DataOffset..], key);
        if (Libc.epoll_ctl(epoll, operation, endpoint.Handle, ref request[0]) < 0) throw new Win32Exception();
    }

    // Level-triggered and one datagram per event: an endpoint that has more is simply reported again, and none can starve the others.
    private void Run()
    {
        _ = RealTime.Request(RealTime.ReceivingPriority); // the pacing thread reports a refusal for both
        var events = new byte[MaxEvents * EventSize];
        var buffer = new byte[MaxDatagram];
        while (!stopping)
        {
            var ready = Libc.epoll_wait(epoll, ref events[0], MaxEvents, LookForStopMs);
            for (var i = 0; i < ready; i++)
            {
                var key = MemoryMarshal.Read<long>(events.AsSpan(i * EventSize + DataOffset));
                if (endpoints.TryGetValue(key, out var endpoint)) Take(endpoint, buffer);
            }
        }
    }

    // A bug in the way of one packet must not deafen every call.
    private void Take(UdpEndpoint endpoint, byte[] buffer)
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
}
