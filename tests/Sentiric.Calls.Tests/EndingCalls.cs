using Sentiric.Contracts.Events;

namespace Sentiric.Calls.Tests;

public sealed class EndingCalls
{
    [Fact]
    public void Every_reason_has_a_SIP_status_and_a_Q850_cause()
    {
        foreach (var reason in Enum.GetValues<CallEndReason>())
        {
            var end = new CallEnd(reason, HungUpBy.System);
            Assert.InRange(end.SipStatus, 200, 699);
            Assert.InRange(end.Q850Cause, 1, 127);
        }
    }

    [Theory]
    [InlineData(CallEndReason.Normal, 200, 16)]
    [InlineData(CallEndReason.Cancelled, 487, 16)]
    [InlineData(CallEndReason.Busy, 486, 17)]
    [InlineData(CallEndReason.UnknownNumber, 404, 1)]
    [InlineData(CallEndReason.NoCommonCodec, 488, 88)]
    [InlineData(CallEndReason.Capacity, 503, 42)]
    [InlineData(CallEndReason.MediaTimeout, 200, 102)]
    public void The_reasons_that_a_carrier_looks_at(CallEndReason reason, int status, int cause)
    {
        var end = new CallEnd(reason, HungUpBy.System);
        Assert.Equal((status, cause), (end.SipStatus, end.Q850Cause));
    }
}
