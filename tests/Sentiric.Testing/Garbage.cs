using Xunit;

namespace Sentiric.Testing;

/// <summary>Whether steady work leaves anything to the garbage collector.</summary>
public static class Garbage
{
    private const int MaxRounds = 20;

    /// <summary>
    /// Runs <paramref name="steady"/> until it once allocates nothing on this thread. What every run allocates shows in each of them; what shows
    /// in some only is the runtime's: a collection that another test causes closes the piece of heap this thread fills, and its unused rest
    /// (up to 8 KB) counts as allocated.
    /// </summary>
    /// <param name="steady">Warmed up; given the number of the round, from 0.</param>
    public static void IsNone(Action<int> steady)
    {
        var bytes = new long[MaxRounds];
        for (var round = 0; round < MaxRounds; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            steady(round);
            bytes[round] = GC.GetAllocatedBytesForCurrentThread() - before;
            if (bytes[round] == 0) return;
        }
        Assert.Fail($"Each of {MaxRounds} rounds allocated something: {string.Join(", ", bytes)} bytes.");
    }
}
