using Sentiric.Testing;

namespace Sentiric.Sip.Tests.Transactions;

public sealed class TimerWheelTests
{
    private readonly ManualTime time = new();
    private readonly List<(int Which, TimeSpan At)> fired = [];
    private readonly DateTimeOffset start;
    private readonly TimerWheel wheel;

    public TimerWheelTests()
    {
        start = time.GetUtcNow();
        wheel = OpenWheel(time);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(500)]
    [InlineData(4_096)]
    [InlineData(32_000)]
    [InlineData(262_144)]
    [InlineData(86_400_000)]
    public void A_timer_fires_at_its_millisecond_on_every_level(long ms)
    {
        wheel.Start(TimeSpan.FromMilliseconds(ms), Note, this, 7);
        time.Advance(TimeSpan.FromMilliseconds(ms) - TimeSpan.FromTicks(1));
        Assert.Empty(fired);
        time.Advance(TimeSpan.FromTicks(1));
        // The system timer rings at most every ten milliseconds.
        time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.Equal(7, Assert.Single(fired).Which);
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void A_thousand_timers_at_random_fire_in_order_never_early_and_each_once()
    {
        var dice = new Random(3261);
        var due = new Dictionary<int, TimeSpan>();
        for (int which = 0; which < 1_000; which++)
        {
            due[which] = TimeSpan.FromMilliseconds(dice.Next(1, 1_000_000));
            wheel.Start(due[which], Note, this, which);
        }

        for (int step = 0; step < 2_500; step++)
        {
            time.Advance(TimeSpan.FromMilliseconds(dice.Next(1, 1_001)));
        }

        Assert.Equal(1_000, fired.Select(one => one.Which).Distinct().Count());
        Assert.Equal(1_000, fired.Count);
        Assert.All(fired, one => Assert.InRange(one.At, due[one.Which], due[one.Which] + TimeSpan.FromMilliseconds(11)));
    }

    [Fact]
    public void A_cancelled_timer_never_fires_and_leaves_at_once()
    {
        SipTimer first = wheel.Start(TimeSpan.FromSeconds(1), Note, this, 1);
        wheel.Start(TimeSpan.FromSeconds(1), Note, this, 2);
        SipTimer last = wheel.Start(TimeSpan.FromSeconds(1), Note, this, 3);
        first.Cancel();
        last.Cancel();
        Assert.Equal(1, wheel.Count);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, Assert.Single(fired).Which);
        first.Cancel();
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void A_timer_that_starts_another_when_it_fires_is_served_in_the_same_turn_of_time()
    {
        void Again(object owner, int which)
        {
            Note(owner, which);
            if (which < 4)
            {
                wheel.Start(TimeSpan.FromMilliseconds(100), Again, this, which + 1);
            }
        }

        wheel.Start(TimeSpan.FromMilliseconds(100), Again, this, 1);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([1, 2, 3, 4], fired.Select(one => one.Which));
    }

    [Fact]
    public void A_timer_that_cancels_its_neighbour_of_the_same_millisecond_is_obeyed()
    {
        SipTimer? neighbour = null;
        neighbour = wheel.Start(TimeSpan.FromSeconds(1), Note, this, 1);
        wheel.Start(TimeSpan.FromSeconds(1), (_, _) => neighbour.Cancel(), this);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(fired.Count <= 1);
        Assert.Equal(0, wheel.Count);
    }

    [Fact]
    public void A_timer_without_hurry_is_at_most_64_ms_late_and_shares_its_ring()
    {
        var loose = new Loose(this);
        wheel.StartLoosely(loose, 32_001);
        var other = new Loose(this);
        wheel.StartLoosely(other, 32_060);
        time.Advance(TimeSpan.FromMilliseconds(32_001));
        Assert.Empty(fired);
        time.Advance(TimeSpan.FromMilliseconds(63));
        Assert.Equal(2, fired.Count);
        Assert.Equal(fired[0].At, fired[1].At);
    }

    [Fact]
    public void A_disposed_wheel_is_silent()
    {
        wheel.Start(TimeSpan.FromMilliseconds(5), Note, this, 1);
        wheel.Dispose();
        wheel.Start(TimeSpan.FromMilliseconds(5), Note, this, 2);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(fired);
    }

    private static TimerWheel OpenWheel(TimeProvider time)
    {
        var calls = new ApplicationCalls(SipCallbacks.ThreadPool, fault => throw fault);
        return new TimerWheel(time, new SerialQueue(calls, fault => throw fault));
    }

    private void Note(object owner, int which) => fired.Add((which, time.GetUtcNow() - start));

    private sealed class Loose(TimerWheelTests test) : SipTimer
    {
        internal override void Fire() => test.Note(this, 0);
    }
}
