using Sentiric.Testing;

namespace Sentiric.Media.Tests;

public class PoolingPorts
{
    private readonly ManualTime time = new();

    [Fact]
    public void Pairs_begin_at_even_ports_and_stay_inside_the_range()
    {
        var pool = new PortPool(new PortRange(10_001, 10_007), TimeSpan.Zero, time);
        Assert.Equal([10_002, 10_004, 10_006, null], Enumerable.Range(0, 4).Select(_ => pool.Take()));
        Assert.Equal(3, pool.Pairs);
    }

    [Fact]
    public void A_returned_port_rests_for_the_quarantine()
    {
        var pool = new PortPool(new PortRange(10_000, 10_001), TimeSpan.FromSeconds(30), time);
        pool.Return(pool.Take() ?? 0);
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.Null(pool.Take());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(10_000, pool.Take());
    }

    [Fact]
    public void The_port_that_rested_longest_is_used_first()
    {
        var pool = new PortPool(new PortRange(10_000, 10_005), TimeSpan.Zero, time);
        pool.Return(pool.Take() ?? 0);
        Assert.Equal(10_002, pool.Take());
    }

    [Theory]
    [InlineData("10000-20000", true)]
    [InlineData("0", true)]
    [InlineData("20000-10000", false)]
    [InlineData("10001-10002", false)]
    [InlineData("80-90", false)]
    [InlineData("60000-70000", false)]
    [InlineData("ports", false)]
    [InlineData("-5-10", false)]
    public void A_range_is_checked_when_it_is_read(string text, bool good) => Assert.Equal(good, PortRange.Parse(text) is not null);
}
