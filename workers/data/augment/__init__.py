"""Augmentations as tensor operations on a batch; each draws with a NumPy generator, never with torch's state.

Every function takes images [B, C, H, W] or event data [F, B, C, H, W], on any device, and leaves its argument
as it is. A sample's draw is the same for all of its frames.
"""

from workers.data.augment.augmentation import Augmentation
from workers.data.augment.draws import Draws

__all__ = ["Augmentation", "Draws"]
