"""A GRU layer whose training step is quick on one CPU core.

torch.nn.GRU accumulates the recurrent weight's gradient frame by frame; here the backward pass collects
the gates' gradients and multiplies once. Outside training (and in the exported graph) it is torch's own GRU.
"""
import torch
from torch import nn


class GruLayer(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.cell = nn.GRU(width, width, 1, batch_first=True)

    def forward(self, inputs, hidden):
        """inputs [B, T, W], hidden [B, W] -> outputs [B, T, W], last hidden [B, W]."""
        if not torch.is_grad_enabled():
            outputs, last = self.cell(inputs, hidden[None])
            return outputs, last[0]
        cell = self.cell
        from_inputs = nn.functional.linear(inputs.transpose(0, 1), cell.weight_ih_l0, cell.bias_ih_l0)
        outputs = _Recurrence.apply(from_inputs, hidden, cell.weight_hh_l0, cell.bias_hh_l0)
        return outputs.transpose(0, 1), outputs[-1]


class _Recurrence(torch.autograd.Function):
    """h = (1 - z) n + z h',  r z = sigmoid(x + U h' + b),  n = tanh(x_n + r (U_n h' + b_n)); gates ordered r z n as in torch.

    The loops hold only what one frame needs from the frame beside it; the rest is done for all frames at once.
    """

    @staticmethod
    def forward(context, from_inputs, hidden, weight, bias):
        frames, batch, width = from_inputs.shape[0], from_inputs.shape[1], hidden.shape[1]
        states = from_inputs.new_empty(frames + 1, batch, width)
        gates = from_inputs.new_empty(frames, batch, 2 * width)
        candidates = from_inputs.new_empty(frames, batch, width)
        recurrent = from_inputs.new_empty(frames, batch, 3 * width)
        states[0] = hidden
        transposed, inner = weight.t().contiguous(), recurrent[..., 2 * width:]
        per_frame = zip(from_inputs[..., :2 * width].unbind(0), from_inputs[..., 2 * width:].unbind(0), recurrent.unbind(0),
                        recurrent[..., :2 * width].unbind(0), inner.unbind(0), gates.unbind(0), gates[..., :width].unbind(0),
                        gates[..., width:].unbind(0), candidates.unbind(0), states[:-1].unbind(0), states[1:].unbind(0))
        for x_gates, x_candidate, u, u_gates, u_candidate, gate, reset, update, candidate, before, after in per_frame:
            torch.addmm(bias, before, transposed, out=u)
            torch.add(x_gates, u_gates, out=gate).sigmoid_()
            torch.addcmul(x_candidate, reset, u_candidate, out=candidate).tanh_()
            torch.lerp(candidate, before, update, out=after)
        context.save_for_backward(states, gates, candidates, inner, weight)
        return states[1:]

    @staticmethod
    def backward(context, grad_outputs):
        states, gates, candidates, inner, weight = context.saved_tensors
        frames, batch, width = candidates.shape
        reset, update, before = gates[..., :width], gates[..., width:], states[:-1]
        slopes = gates.new_empty(frames, batch, 3, width)  # of the pre-activations of U h', by the new hidden state
        to_candidate = (1 - update).mul_(1 - candidates * candidates)
        torch.mul(to_candidate, reset, out=slopes[:, :, 2])
        torch.mul(slopes[:, :, 2] * inner, 1 - reset, out=slopes[:, :, 0])
        torch.mul((before - candidates).mul_(update), 1 - update, out=slopes[:, :, 1])

        grad_states, grad_recurrent = torch.empty_like(candidates), torch.empty_like(slopes)
        grad_hidden = gates.new_zeros(batch, width)
        per_frame = list(zip(grad_outputs.unbind(0), grad_states.unbind(0), slopes.unbind(0), grad_recurrent.unbind(0),
                             grad_recurrent.view(frames, batch, -1).unbind(0), update.unbind(0)))
        for grad_output, grad_state, slope, grad, grad_flat, keep in reversed(per_frame):
            torch.add(grad_hidden, grad_output, out=grad_state)
            torch.mul(grad_state[:, None], slope, out=grad)
            grad_hidden = torch.addmm(grad_state * keep, grad_flat, weight)

        flat = grad_recurrent.view(-1, 3 * width)
        grad_weight, grad_bias = flat.t() @ before.reshape(-1, width), flat.sum(0)
        torch.mul(grad_states, to_candidate, out=grad_recurrent[:, :, 2])  # the candidate's input is not behind the reset gate
        return grad_recurrent.view(frames, batch, -1), grad_hidden, grad_weight, grad_bias
