using Xunit;
using Xunit.Abstractions;

// Most of a scenario is waiting for real timers, so several run side by side; those that measure sound run alone, after them.
[assembly: CollectionBehavior(MaxParallelThreads = Sentiric.Scenarios.Kit.Lanes.SideBySide)]
[assembly: TestCollectionOrderer("Sentiric.Scenarios.Kit.LongestFirst", "Sentiric.Scenarios")]

namespace Sentiric.Scenarios.Kit;

/// <summary>
/// What may run beside what. The tests of one lane follow each other; a class that names no lane is one of its own. Each lane with a platform has
/// its own, which comes into being when the first test asks for it.
/// </summary>
internal static class Lanes
{
    /// <summary>Alone on the machine, one after the other: latencies, lost packets and the rhythm of RTP are measured here, or eight processes started.</summary>
    public const string Quiet = "quiet machine";

    /// <summary>Whole calls that measure nothing finer than seconds.</summary>
    public const string Calls = "calls";

    /// <summary>Messages, proxies, scanners, bad starts.</summary>
    public const string Wire = "wire";

    /// <summary>The platforms of these tests share a broker: two at a time would take each other's messages.</summary>
    public const string Broker = "broker";

    /// <summary>Three at a time keep two processors busy for two thirds of the time; most of that are starts of platforms.</summary>
    public const int SideBySide = 3;

    /// <summary>The pool begins with a thread for each processor and grows slowly; what a busy test leaves to it must not keep the others waiting.</summary>
    private const int PoolThreads = 16;

    [System.Runtime.CompilerServices.ModuleInitializer]
    internal static void WidenPool() => ThreadPool.SetMinThreads(PoolThreads, PoolThreads);
}

[CollectionDefinition(Lanes.Quiet, DisableParallelization = true)]
public sealed class QuietLane : ICollectionFixture<SharedPlatform>;

[CollectionDefinition(Lanes.Calls)]
public sealed class CallsLane : ICollectionFixture<SharedPlatform>;

[CollectionDefinition(Lanes.Wire)]
public sealed class WireLane : ICollectionFixture<SharedPlatform>;

[CollectionDefinition(Lanes.Broker)]
public sealed class BrokerLane;

/// <summary>The lane that takes longest begins first: begun last, all others would wait for it.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long = [Lanes.Broker, Lanes.Wire, Lanes.Calls, nameof(Outages.CrashTests), nameof(Outages.DatabaseTests)];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) => testCollections.OrderBy(Place);

    // A class without a lane has a collection of its own, in whose name stands that of the class.
    private static int Place(ITestCollection collection) => Array.FindIndex(Long, name => collection.DisplayName.EndsWith(name, StringComparison.Ordinal)) is >= 0 and var place ? place : Long.Length;
}
