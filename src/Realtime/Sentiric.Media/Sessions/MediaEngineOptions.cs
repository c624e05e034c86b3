using System.Net;

namespace Sentiric.Media;

/// <summary>How the kernel schedules the media threads; each is worth less than the one before.</summary>
public enum MediaPriority
{
    /// <summary>SCHED_FIFO: before all ordinary threads.</summary>
    RealTime,

    /// <summary>nice -20: where there is no permission, or no budget, for real-time threads.</summary>
    Raised,

    /// <summary>Like any other thread, but in slices as short as the kernel lets it.</summary>
    Ordinary,
}

/// <summary>Settings of an engine; the defaults fit tests and a single machine.</summary>
public sealed record MediaEngineOptions
{
    /// <summary>Where sockets are bound.</summary>
    public IPAddress LocalAddress { get; init; } = IPAddress.Loopback;

    /// <summary>What SDP says instead, behind a static NAT; absent: the local address.</summary>
    public IPAddress? AdvertisedAddress { get; init; }

    public PortRange Ports { get; init; } = PortRange.KernelChosen;
    public TimeSpan PortQuarantine { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The kernel's default of 208 KB holds over a second of one call; more is needed when the process may stall.</summary>
    public int ReceiveBufferBytes { get; init; } = 256 * 1024;

    /// <summary>Threads that receive and pace, each with its share of the legs; 0: one per processor.</summary>
    public int MediaThreads { get; init; }

    /// <summary>The most that media threads ask of the kernel. Less only to measure what it is worth.</summary>
    public MediaPriority Priority { get; init; } = MediaPriority.RealTime;

    public MediaCapabilities Capabilities { get; init; } = MediaCapabilities.Default;
    public MediaLegOptions Leg { get; init; } = new();
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>Either an open session or the reason why there is none.</summary>
public sealed record MediaOpened(MediaSession? Session, MediaRefusal? Refusal);

/// <summary>What a closed session leaves behind.</summary>
public sealed record MediaClosed(MediaQuality Quality, RecordingResult? Recording);
